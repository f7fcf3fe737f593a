/* The start of one command of a session. */
#ifndef SANDBOXLIB_START_H
#define SANDBOXLIB_START_H

#include "init.h"

/* `brought`: fds from the courier, which stay the caller's. NULL, or what failed, with errno; when
 * `pid` is not 0 then, its process is on its way to the end. `notes`: see program.h. */
const char *start(const struct sandbox *sandbox, const struct command *command, const int brought[3],
                  pid_t *pid, int *notes);

#endif
