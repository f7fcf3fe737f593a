/* Pid 1 of a sandbox for any number of commands. */
#ifndef SANDBOXLIB_SESSION_H
#define SANDBOXLIB_SESSION_H

#include "init.h"
#include "readback.h"

_Noreturn void serve_session(const struct sandbox *sandbox, struct readback *readback);

#endif
