/* The launcher of one sandbox. */
#ifndef SANDBOXLIB_LAUNCHER_H
#define SANDBOXLIB_LAUNCHER_H

#include <stdint.h>

/* Without a socket to core there is nothing to do; nothing else above 2 may reach a sandbox. */
void check_start(void);

/* What is closed of the standard streams, and the courier's fd, becomes /dev/null too, so that nothing else
 * takes its place. */
int open_null(void);

/* Reads what is to be done, starts pid 1 of the sandbox, and stays outside as its guard. */
_Noreturn void launch(uint32_t namespaces);

#endif
