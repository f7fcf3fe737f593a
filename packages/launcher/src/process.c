#include "process.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "protocol.h"

enum { KILL_TIMEOUT = 5 }; /* seconds */

static sigset_t forwarded(void);
static int watch(const sigset_t *set);
static bool is_for_group(int number);
static void add_end(struct end *end, pid_t pid, int status, const struct rusage *usage);
static void add_time(struct timeval *sum, const struct timeval *time);

void reset_signals(void)
{
    sigset_t blocked = forwarded();
    sigaddset(&blocked, SIGCHLD);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL); /* fails for those that cannot be changed */
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
}

static sigset_t forwarded(void)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    sigset_t set;
    sigemptyset(&set);
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++)
        sigaddset(&set, numbers[index]);
    return set;
}

void restore_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int watch_children(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    return watch(&set);
}

int watch_signals(void)
{
    sigset_t set = forwarded();
    return watch(&set);
}

static int watch(const sigset_t *set)
{
    int fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        fail(FAILED_SETUP, errno, "signalfd");
    return fd;
}

int next_signal(int fd)
{
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

enum signal_action default_action(int number)
{
    switch (number) {
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
        return ACTION_STOP;
    case SIGCHLD:
    case SIGCONT:
    case SIGURG:
    case SIGWINCH:
        return ACTION_NONE;
    default:
        return ACTION_END;
    }
}

/* Before the program has called setsid there is no such process group. */
void signal_program(pid_t program, int number)
{
    if (!is_for_group(number) || kill(-program, number) != 0)
        kill(program, number);
}

static bool is_for_group(int number)
{
    switch (number) {
    case SIGHUP:
    case SIGINT:
    case SIGQUIT:
    case SIGSTOP:
    case SIGTSTP:
    case SIGCONT:
        return true;
    default:
        return false;
    }
}

bool reap_until(int children, pid_t wanted, int *status, struct rusage *usage)
{
    next_signal(children); /* one read clears the fd, as only one SIGCHLD is ever pending */
    for (;;) {
        pid_t pid = wait4(-1, status, WNOHANG, usage);
        if (pid <= 0)
            return false;
        if (has_ended(pid, *status) && pid == wanted)
            return true;
    }
}

bool has_ended(pid_t pid, int status)
{
    if (!WIFSTOPPED(status))
        return true;
    long signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
    syscall(SYS_ptrace, (long)PTRACE_DETACH, pid, NULL, signal);
    return false;
}

int wait_for_end(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

bool kill_all_others(struct end *count)
{
    sigset_t child;
    struct timespec now, end;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += KILL_TIMEOUT;
    for (;;) {
        struct rusage usage;
        pid_t pid;
        int status;
        kill(-1, SIGKILL);
        while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0)
            if (count && !WIFSTOPPED(status))
                add_end(count, pid, status, &usage);
        if (pid < 0 && errno == ECHILD)
            return true;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec >= end.tv_sec)
            return false;
        const struct timespec wait = {.tv_sec = 0, .tv_nsec = 100000000};
        sigtimedwait(&child, NULL, &wait);
    }
}

static void add_end(struct end *end, pid_t pid, int status, const struct rusage *usage)
{
    struct rusage *sum = &end->usage;
    if (pid == end->program)
        end->status = status;
    add_time(&sum->ru_utime, &usage->ru_utime);
    add_time(&sum->ru_stime, &usage->ru_stime);
    if (sum->ru_maxrss < usage->ru_maxrss)
        sum->ru_maxrss = usage->ru_maxrss;
    sum->ru_minflt += usage->ru_minflt;
    sum->ru_majflt += usage->ru_majflt;
    sum->ru_inblock += usage->ru_inblock;
    sum->ru_oublock += usage->ru_oublock;
    sum->ru_nvcsw += usage->ru_nvcsw;
    sum->ru_nivcsw += usage->ru_nivcsw;
}

static void add_time(struct timeval *sum, const struct timeval *time)
{
    sum->tv_sec += time->tv_sec;
    sum->tv_usec += time->tv_usec; /* may pass a million, as the sum is told in microseconds */
}

void drop_streams(int null)
{
    for (int fd = 0; fd < 3; fd++)
        if (dup2(null, fd) < 0)
            fail(FAILED_SETUP, errno, "dup2");
}
