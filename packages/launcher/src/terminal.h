/* The program's own terminal, a pair of the devpts in the sandbox's /dev. The launcher relays what is typed and shown
 * between it and core's streams. If the program had an fd of the caller's terminal, it could put characters into that
 * terminal's input (TIOCSTI, TIOCLINUX). */
#ifndef SANDBOXLIB_TERMINAL_H
#define SANDBOXLIB_TERMINAL_H

#include <poll.h>

#include "protocol.h"

/* In pid 1: takes over a mounted devpts. The first one is used. */
void keep_devpts(int devpts);

/* In the program's process, which leads a session: opens a pair, makes `slave` the controlling terminal, and sends the
 * launcher the master and the streams that it is relayed to. Returns what failed, with errno, or NULL. */
const char *open_terminal(int launcher, const struct command *command, const int streams[3], int *slave);

/* In pid 1: sends the launcher the new size of the window. */
void resize_terminal(int launcher, unsigned columns, unsigned rows);

/* How many fds the launcher polls for the relay. */
enum { RELAYED = 3 };

/* In the launcher: receives what the two functions above send. False when there will be nothing more. */
bool receive_terminal(int sandbox);

/* Fills in what to poll, and returns the timeout for poll(2). */
int watch_relay(struct pollfd watched[RELAYED]);

/* Passes on what there is, and never blocks. */
void relay(void);

/* When every process of the sandbox is gone: passes on what the terminal still holds, if there was one. */
void finish_relay(int sandbox);

#endif
