/* What the attacks share: how they say what came out, and the few system calls that the runtime has no function for. */
#ifndef SANDBOXLIB_PROVE_H
#define SANDBOXLIB_PROVE_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* One attack, or a helper of the host's side: a word of the command line, and what it does with those after it. */
typedef void attack(char **words);

attack attack_write, attack_read, attack_reach, attack_above, attack_link, attack_make, attack_set_id, attack_node,
    attack_lock, attack_devices, attack_change, attack_handle, attack_by_handle;
attack attack_victim, attack_signal, attack_trace, attack_init, attack_survive, attack_sleep, attack_fds,
    attack_environment, attack_ids, attack_namespaces, attack_privileges;
attack attack_user_namespace, attack_bare, attack_mount, attack_hostname, attack_cgroup, attack_leave_root;
attack attack_queue_make, attack_queue_find, attack_queue_remove, attack_key_make, attack_key_find, attack_key_remove;
attack attack_listen, attack_abstract, attack_socket, attack_loopback, attack_route, attack_interfaces,
    attack_families;
attack attack_unlock, attack_type, attack_calls;
attack attack_memory, attack_processes, attack_burn, attack_address_space, attack_file_size, attack_open_files,
    attack_stack, attack_raise, attack_fill, attack_inodes;

/* The attempt has succeeded. */
void got(const char *how);
void got_at(const char *how, const char *where);

/* It was refused, with this error. */
void refused(const char *how, const char *where, int error);

/* Says which of the two, by what a system call returned. */
bool tried(const char *how, const char *where, long result);

/* Writes a line of its own: a word, and a text. */
void say(const char *word, const char *text);
void say_number(const char *word, uint64_t number);

/* The text as a number of base ten. */
uint64_t number_of(const char *text);

/* Writes the decimal digits into `buffer`, and returns where they start. */
enum { DIGITS = 24 };
const char *digits(char buffer[DIGITS], uint64_t number);

/* Concatenates up to four texts; what does not fit is cut off. */
enum { PATH_SIZE = 4096 };
const char *joined(char buffer[PATH_SIZE], const char *one, const char *two, const char *three, const char *four);

/* Runs a function in a process of its own, so that what it does to itself is gone afterwards. False when there is none,
 * or it ended with another status than 0. */
bool in_child(void (*run)(char **words), char **words);

/* Whether a file begins with bytes among which the text is; its errno otherwise, or ENODATA. */
int holds(const char *path, const char *text);

/* Whether a file has a byte, or a directory an entry; its errno otherwise, or ENODATA. */
int content_of(const char *path);

/* Waits until standard input ends. */
void wait_for_end(void);

static inline long sys_fork(void)
{
    return syscall(SYS_clone, (unsigned long)SIGCHLD, 0UL, 0UL, 0UL, 0UL);
}

static inline void sys_sleep(long milliseconds)
{
    struct { long seconds, nanoseconds; } time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    syscall(SYS_nanosleep, &time, NULL);
}

static inline bool is_text(const char *one, const char *two)
{
    return strcmp(one, two) == 0;
}

#endif
