/* Pid 1 of a sandbox for one command, which may come later. */
#ifndef SANDBOXLIB_RUN_H
#define SANDBOXLIB_RUN_H

#include "init.h"
#include "readback.h"

_Noreturn void serve_run(const struct sandbox *sandbox, struct readback *readback);

#endif
