/* The launcher of one sandbox, the fork server that starts launchers, and what else the program can be started as. */
#ifndef SANDBOXLIB_LAUNCHER_H
#define SANDBOXLIB_LAUNCHER_H

#include <sys/types.h>

#include "protocol.h"

/* Checks that there is a socket to core, and closes every fd that is not for a sandbox. */
void check_start(void);

/* Opens /dev/null, also in the place of closed fds up to STREAMS_FD, so that no other file gets their numbers. */
int open_null(void);

/* Reads the set-up, starts pid 1 of the sandbox, and waits outside for its end. `kill_flags`: NULL without a server. */
_Noreturn void launch(uint32_t namespaces, const volatile uint8_t *kill_flags);

/* Parses a set-up, and fails when it is wrong. Pid 1, which was forked before the set-up came, parses it once more
 * after the launcher. */
void take_setup(const uint8_t *payload, size_t size, struct setup *setup);

/* Launchers that are forked: fork.c. */

struct forked {
    pid_t pid;  /* 0: none */
    int socket; /* what it takes for core's socket leads here */
};

/* For core, which would have to wait until the server passes a signal on, while the program begins. */
void share_kill_flags(void);

/* Makes the pipes of a launcher, tells core of them, and forks it. Returns the call that failed, with errno, or NULL. */
const char *fork_launcher(const struct launch_request *request, struct forked *forked);

/* Forks the next launcher ahead, when the last two were alike: most of what a launch takes is a network namespace, which
 * is no different for being made early. What depends on the time of the start is done when the set-up has come. */
void fork_spare(void);

/* Whether the program of a command may not begin, as core has asked for its end meanwhile. */
bool is_forbidden(uint32_t id);

/* Tools that are forked: tool.c. */

struct forked_tool {
    pid_t pid;
    int pidfd;
    int errors; /* leads to what kept the tool from being executed; ends when it has been */
};

/* Makes the pipes of a tool, tells core of them, and forks it. Returns the call that failed, with errno, or NULL. */
const char *fork_tool(const struct tool_request *request, struct forked_tool *tool);

/* Tells core how a tool ended that has been reaped: by its status, or with what kept it from being executed. */
void report_tool(uint32_t id, int status, int errors);

/* The fork server: fork_server.c. Starts a launcher for each run, and passes on what core and the launchers say. To
 * fork this small process takes the kernel a tenth of what it takes to fork Node. */
_Noreturn void serve(void);

/* Tries what sandboxes are made of: probe.c. Writes a line to standard output for each thing that fails: the capability
 * of core that is lost, or `base` where no sandbox can be made at all; the call; its errno; with tabs between. Exits
 * with 0 if sandboxes can be made. `keeps_capabilities`: it tries those that keep all that can be kept. */
_Noreturn void probe(bool keeps_capabilities);

/* The init of a sandbox that another tool has made: guest.c. `words` are its options, `--`, and the program. */
_Noreturn void serve_guest(char **words);

/* Becomes the command line of a container runtime that is to start a guest: runtime.c. */
_Noreturn void run_runtime(char **words);

/* Copies of programs in memory that nobody can change: clone.c. */

/* For a session: executes a copy of the launcher's own file, and returns in that copy. Inside, a command could execute
 * the file of the process that it was before, by way of /proc/self/exe, and another command of the same uid could then
 * get at that file, which is on a mount of the host. */
void run_as_clone(char **words);

/* For another tool that stays visible inside: makes a copy of the program at `path`, writes the number of its fd to
 * standard output, and keeps it open until standard input ends. */
_Noreturn void serve_clone(const char *path);

#endif
