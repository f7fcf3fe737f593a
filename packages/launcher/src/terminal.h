/* The program's own terminal: a pair of the devpts that its `dev` mount has. */
#ifndef SANDBOXLIB_TERMINAL_H
#define SANDBOXLIB_TERMINAL_H

#include "plan.h"

/* In pid 1: takes a mounted devpts. The first one is used. */
void keep_terminals(int devpts);

/* In the program's process, when it leads a session: opens a pair, makes its slave the controlling terminal,
 * and hands the master on to the launcher, with the fds of core that it is to be relayed to. Returns what failed,
 * with errno, or NULL; `slave` is open then. */
const char *open_terminal(int launcher, const struct command *command, const int streams[3], int *slave);

#endif
