/* The relay, in the launcher, between the master of the program's terminal and core's streams. A terminal
 * that the program could reach by an fd of the caller's would take what it injects (TIOCSTI, TIOCLINUX). */
#ifndef SANDBOXLIB_PTY_H
#define SANDBOXLIB_PTY_H

#include <poll.h>
#include <stdbool.h>

enum { RELAYED = 3 };

/* What pid 1 or the program's process sent: the master and core's fds, or a new size of the window. false when
 * there will be nothing more. */
bool take_terminal(int sandbox);

/* Fills in what to wait for, and returns for how many milliseconds at most, as poll has it. */
int watch_relay(struct pollfd watched[RELAYED]);

/* Passes on what there is. Never waits. */
void relay(void);

/* When everything in the sandbox is gone: passes on what the terminal still holds, as long as core takes it.
 * false when there was no terminal. */
bool finish_relay(int sandbox);

/* The other end: tells the launcher of a new size. */
bool resize_terminal(int launcher, unsigned columns, unsigned rows);

#endif
