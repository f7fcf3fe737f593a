/* What the files of a guest share: guest.c, guest_words.c and guest_setup.c. */
#ifndef SANDBOXLIB_GUEST_H
#define SANDBOXLIB_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

/* The fds of a guest; those that its words do not name are -1. */
enum channel { REPORT, LIFELINE, VARIABLES, FILTER, PROFILE, COMMAND, CHANNELS };

struct guest {
    int fds[CHANNELS];
    const char *cwd;
    const char *root;
    const char *user;
    char **options;
    char **program;
    char **variables;
    struct filter profile;
    bool is_init; /* pid 1, so that everything that it may signal is of the sandbox */
};

/* Tells the outside which step has failed, and ends. */
_Noreturn void give_up_guest(const struct guest *guest, const char *step, int error);

/* The words: guest_words.c. */

/* The options end at `--`, and the program follows, unless it comes as `command`. False when a word is none, or there is
 * no report. */
bool parse_guest_words(char **words, struct guest *guest);

/* Tools leave some of their own open, which lead out of the sandbox. */
void close_other_fds(const struct guest *guest);

/* What is on an fd, as texts: each ends in NUL. */
char **read_guest_texts(const struct guest *guest, enum channel channel, const char *what);

/* The filter of system calls that is on an fd; none where there is no such fd. */
struct filter read_guest_filter(const struct guest *guest, enum channel channel);

/* Reads to the end and closes the fd; NULL, with errno, when that fails. */
uint8_t *read_guest_fd(int fd, size_t *size);

/* What a guest sets up by itself, where the tool that has made the sandbox leaves it to that: guest_setup.c. */

/* Whether a word is one of the options that are read below, each of which may be there more than once. */
bool is_guest_setting(const char *word);

/* Replaces the standard streams by those of `streams=`. False when that is no number of three fds. */
bool take_guest_streams(char **options);

/* Makes `root` the root, in a user namespace of its own where `user` is `UID:GID`, makes the links of each `dev=` there,
 * and gives up every capability. Returns the step that failed, with errno, or NULL. */
const char *enter_guest_root(const char *root, const char *user, char **options);

/* Sets each `rlimit=` for this process. Returns the step that failed, with errno, or NULL. */
const char *set_guest_limits(char **options);

#endif
