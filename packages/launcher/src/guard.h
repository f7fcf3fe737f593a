/* The launcher after the sandbox has begun: it stays outside, and the sandbox ends with it. */
#ifndef SANDBOXLIB_GUARD_H
#define SANDBOXLIB_GUARD_H

#include <sys/types.h>

#include "plan.h"

/* `sandbox`: a socket to pid 1, whose pid here is `pid`. */
_Noreturn void guard(enum mode mode, pid_t pid, int pidfd, int sandbox);

#endif
