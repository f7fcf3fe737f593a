#include "guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frame.h"
#include "outcome.h"
#include "parking.h"
#include "pty.h"
#include "signals.h"

enum watched { CORE, INIT, SIGNALS, SANDBOX, FIXED, WATCHED = FIXED + RELAYED };

static _Noreturn void bury(enum mode mode, pid_t pid, int sandbox, bool expected);
static void pass_on(enum mode mode, int number, int sandbox, pid_t pid);

/* When pid 1 is killed, the kernel kills the other processes of the sandbox. Its pid is safe to use: nobody
 * else reaps it. Of core's socket only the end is of interest here: pid 1 and the program's process read it. */
void guard(enum mode mode, pid_t pid, int pidfd, int sandbox)
{
    struct pollfd watched[WATCHED] = {
        [CORE] = {.fd = CORE_FD, .events = POLLRDHUP},
        [INIT] = {.fd = pidfd, .events = POLLIN},
        [SIGNALS] = {.fd = watch_signals(), .events = POLLIN},
        [SANDBOX] = {.fd = sandbox, .events = POLLIN},
    };
    for (;;) {
        if (poll(watched, WATCHED, watch_relay(watched + FIXED)) < 0 && errno != EINTR) {
            kill(pid, SIGKILL);
            bury(mode, pid, sandbox, false);
        }
        if (watched[INIT].revents)
            bury(mode, pid, sandbox, false);
        if (watched[CORE].revents) {
            kill(pid, SIGKILL);
            bury(mode, pid, sandbox, true);
        }
        if (watched[SIGNALS].revents)
            for (int number; (number = next_signal(watched[SIGNALS].fd)) != 0;)
                pass_on(mode, number, sandbox, pid);
        if (watched[SANDBOX].revents &&
            !(mode == MODE_SESSION ? serve_parking(sandbox) : take_terminal(sandbox)))
            watched[SANDBOX].fd = -1;
        relay();
    }
}

/* Pid 1 exits with 0 once it has reported; with anything else it did not come to that, which is worth a word
 * unless core has wanted it so. */
static void bury(enum mode mode, pid_t pid, int sandbox, bool expected)
{
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (status != 0 && !expected)
        report_failed(0, FAILED_INIT, status, "pid 1 of the sandbox has died");
    /* A signal that core sends just now must not break the connection before the report is read. */
    if (mode == MODE_RUN && finish_relay(sandbox))
        drain_frames(); /* core waits for the end of what the terminal shows */
    else
        wait_for_end();
    _exit(0);
}

/* A signal to the launcher is meant for its program; a session has no one program, and ends. */
static void pass_on(enum mode mode, int number, int sandbox, pid_t pid)
{
    const uint8_t byte = (uint8_t)number;
    if (mode == MODE_SESSION || write(sandbox, &byte, 1) != 1)
        kill(pid, SIGKILL);
}
