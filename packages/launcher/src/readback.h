/* What the kernel says of the sandbox once it is made. It has to be what was asked for. */
#ifndef SANDBOXLIB_READBACK_H
#define SANDBOXLIB_READBACK_H

#include "frame.h"
#include "namespaces.h"
#include "plan.h"

struct readback {
    struct identity identity;
    uint64_t root_flags;
    uint64_t capabilities;
    uint8_t no_new_privs;
    struct report mounts; /* the end of the `R` frame */
};

/* From inside, and before the program's ids might keep us from looking. */
void check_mounts(struct readback *readback, int root, const struct setup *setup);

void check_privileges(struct readback *readback);

void report_ready(struct readback *readback);

#endif
