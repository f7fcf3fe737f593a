/* Signals, and the end of processes. */
#ifndef SANDBOXLIB_PROCESS_H
#define SANDBOXLIB_PROCESS_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

/* Sets every signal to its default, because whoever started the launcher may have ignored or blocked some. Then blocks
 * those that watch_children and watch_signals read, and ignores SIGPIPE. */
void reset_signals(void);

/* For the program: none ignored, none blocked. */
void restore_signals(void);

/* A signalfd(2) for SIGCHLD. */
int watch_children(void);

/* A signalfd(2) for the signals that the launcher forwards to the program. */
int watch_signals(void);

/* The next signal of such an fd, 0 when there is none. */
int next_signal(int fd);

enum signal_action { ACTION_END, ACTION_STOP, ACTION_NONE };

/* What signal(7) says that it does by default. */
enum signal_action default_action(int number);

/* Sends a signal to the whole process group where a terminal would do so, else to the program alone. */
void signal_program(pid_t program, int number);

/* Reaps children that have ended; true when `wanted` was among them. `children` is the fd of watch_children. */
bool reap_until(int children, pid_t wanted, int *status, struct rusage *usage);

/* Whether a status of wait(2) tells of an end. A process may make its parent its tracer, which is then told of stops,
 * too: such a process is let go on. */
bool has_ended(pid_t pid, int status);

/* waitpid(2) for an end, whatever signals come. Returns the status. */
int wait_for_end(pid_t pid);

/* The end of a program, and what all of the sandbox has used up to then. */
struct end {
    pid_t program;
    int status;
    struct rusage usage;
};

/* Kills every process of the sandbox but this one and reaps them. With an `end`, their usage is added to it, and the
 * program's status is put there. False when some are left after five seconds. */
bool kill_all_others(struct end *end);

/* Replaces the standard streams of this process. If it kept them, whoever reads the program's output would not see its
 * end when the program ends. */
void drop_streams(int null);

#endif
