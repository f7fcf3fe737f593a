/* Pid 1 of the sandbox: makes it, then serves it. */
#ifndef SANDBOXLIB_INIT_H
#define SANDBOXLIB_INIT_H

#include <sys/types.h>

#include "plan.h"

struct sandbox {
    struct setup setup;
    int null;      /* /dev/null, open */
    int launcher;  /* a socket to the launcher */
    mode_t umask;  /* the caller's, for the program */
    bool own_user; /* a user namespace was made */
};

/* `launcher_end`: the other end of `launcher`, to be closed. */
_Noreturn void init(const struct sandbox *sandbox, int launcher_end);

#endif
