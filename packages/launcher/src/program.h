/* The process that becomes the program. */
#ifndef SANDBOXLIB_PROGRAM_H
#define SANDBOXLIB_PROGRAM_H

#include "init.h"
#include "outcome.h"

/* What it has to say before the exec, over a pipe that the exec closes. */
struct note {
    uint32_t id;
    bool failed;
    enum failure kind;
    int error;
    char what[64];
};

/* `streams`: fds for 0, 1 and 2. Returns never; a failure is noted on `notes`. */
_Noreturn void become_command(const struct sandbox *sandbox, const struct command *command,
                              const int streams[3], int notes);

void write_note(int notes, uint32_t id, bool failed, enum failure kind, int error, const char *what);

/* The last note, and whether there was one, once the other end is closed. */
bool read_notes(int notes, struct note *note);

#endif
