/* Signals: what this process was handed, what it waits for, and what the program gets. */
#ifndef SANDBOXLIB_SIGNALS_H
#define SANDBOXLIB_SIGNALS_H

#include <stdbool.h>
#include <sys/types.h>

/* Whatever started the launcher may have ignored or blocked some. Afterwards all are as at first,
 * but that those below are blocked, and a write to a closed pipe is an error. */
void reset_signals(void);

/* For the program: none ignored, none blocked. */
void restore_signals(void);

/* An fd that tells of children that ended. */
int watch_children(void);

/* An fd that tells of the signals which are meant for the program. */
int watch_signals(void);

/* The next signal of such an fd, 0 when there is none. */
int next_signal(int fd);

enum signal_action { ACTION_END, ACTION_STOP, ACTION_NONE };

/* By signal(7). */
enum signal_action default_action(int number);

/* To the whole process group where a terminal would do so, else to the program alone. */
void signal_program(pid_t program, int number);

#endif
