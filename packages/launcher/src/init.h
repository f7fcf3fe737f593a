/* Pid 1 of the sandbox: makes it, then serves it. */
#ifndef SANDBOXLIB_INIT_H
#define SANDBOXLIB_INIT_H

#include <stdbool.h>
#include <sys/types.h>

#include "namespaces.h"
#include "plan.h"

/* What the launcher tells pid 1 when it may go on. */
struct go {
    struct identity identity;
    size_t setup_size;
    bool caller_is_program; /* by its ids */
};

struct sandbox {
    struct setup setup;
    uint8_t *shared;     /* where the set-up comes to lie */
    uint32_t namespaces; /* the set-up's, known before */
    int null;     /* /dev/null, open */
    int launcher; /* a socket to the launcher */
    mode_t umask; /* the caller's, for the program */
};

/* `launcher_end`: the other end of `launcher`, to be closed. */
_Noreturn void init(const struct sandbox *sandbox, int launcher_end);

#endif
