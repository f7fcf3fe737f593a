#include "reap.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "outcome.h"
#include "signals.h"

enum { PATIENCE_SECONDS = 5 };

bool reap_until(int children, pid_t wanted, int *status, struct rusage *usage)
{
    next_signal(children); /* there is never more than one SIGCHLD, and a flood of them keeps nobody here */
    for (;;) {
        pid_t pid = wait4(-1, status, WNOHANG, usage);
        if (pid <= 0)
            return false;
        if (is_end(pid, *status) && pid == wanted)
            return true;
    }
}

bool is_end(pid_t pid, int status)
{
    if (!WIFSTOPPED(status))
        return true;
    long passed_on = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
    syscall(SYS_ptrace, (long)PTRACE_DETACH, pid, NULL, passed_on);
    return false;
}

bool end_all_others(void)
{
    sigset_t child;
    struct timespec now, end;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += PATIENCE_SECONDS;
    for (;;) {
        pid_t pid;
        kill(-1, SIGKILL);
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
            ;
        if (pid < 0 && errno == ECHILD)
            return true;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec >= end.tv_sec)
            return false;
        const struct timespec wait = {.tv_sec = 0, .tv_nsec = 100000000};
        sigtimedwait(&child, NULL, &wait);
    }
}

void hold_no_streams(int null)
{
    for (int fd = 0; fd < 3; fd++)
        if (dup2(null, fd) < 0)
            fail(FAILED_SETUP, errno, "dup2");
}
