/* The limits of setrlimit(2). */
#ifndef SANDBOXLIB_LIMITS_H
#define SANDBOXLIB_LIMITS_H

#include "plan.h"

/* Sets those of the command for this process. -1, or the resource that could not be limited, with errno:
 * 0 when the kernel took it and has something else. */
int set_limits(const struct command *command);

#endif
