#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "outcome.h"

static sigset_t forwarded(void);
static int watch(const sigset_t *set);
static bool is_terminals(int number);

void reset_signals(void)
{
    sigset_t blocked = forwarded();
    sigaddset(&blocked, SIGCHLD);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL); /* EINVAL for those that cannot be changed */
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
}

static sigset_t forwarded(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
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

/* Before the program's setsid there is no such group. */
void signal_program(pid_t program, int number)
{
    if (!is_terminals(number) || kill(-program, number) != 0)
        kill(program, number);
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

static bool is_terminals(int number)
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
