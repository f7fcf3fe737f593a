#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"
#include "run_plan.h"
#include "sys.h"

/* Microseconds within which the same signal counts once: a terminal sends it to the whole group, and a parent such as
 * make may send it again. */
enum { SAME_SIGNAL = 200000 };
/* The first real-time signal that glibc leaves to programs. */
enum { FIRST_REAL_TIME = 34 };

static void take_end_signal(int number);
static void raise_own(int number);

/* What asked for an end: the first was sent on, and another one has killed the program. */
static int first_signal, second_signal;
static uint64_t first_at;
static bool is_stopped;

int watch_planned_signals(void)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGCONT};
    enum { COUNT = sizeof numbers / sizeof *numbers };
    bool is_ignored[NSIG];
    sigset_t set;
    sigemptyset(&set);
    for (size_t index = 0; index < COUNT; index++)
        sigaddset(&set, numbers[index]);
    sigprocmask(SIG_SETMASK, &set, NULL);
    for (int number = 1; number < NSIG; number++)
        is_ignored[number] = signal(number, SIG_DFL) == SIG_IGN; /* a SIGCHLD that is ignored has no status */
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    for (size_t index = 0; index < COUNT; index++)
        if (is_ignored[numbers[index]]) /* as under nohup(1), or in the background of a script */
            signal(numbers[index], SIG_IGN);
        else
            sigaddset(&set, numbers[index]);
    sigprocmask(SIG_SETMASK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        refuse("", "signals cannot be watched", errno);
    return fd;
}

bool forward_planned_signal(int fd, bool has_program, int *status)
{
    int number = next_signal(fd);
    if (number == 0)
        return true;
    if (number == SIGTSTP || number == SIGCONT) {
        const bool stops = number == SIGTSTP;
        if (has_program && (stops || is_stopped))
            send_planned_signal(stops ? SIGSTOP : SIGCONT);
        is_stopped = stops;
        if (stops)
            raise_own(SIGSTOP);
        return true;
    }
    if (!has_program) {
        first_signal = *status = number;
        return false;
    }
    take_end_signal(number);
    return true;
}

static void take_end_signal(int number)
{
    if (first_signal == 0) {
        first_signal = number;
        first_at = planned_time();
        send_planned_signal(number);
    } else if (number != first_signal || planned_time() - first_at >= SAME_SIGNAL) {
        second_signal = number;
        kill_planned_program();
    }
}

void send_planned_signal(int number)
{
    struct report report;
    begin_report(&report, 'K');
    add_u32(&report, 1);
    add_u32(&report, (uint32_t)number);
    send_report(&report);
}

static void raise_own(int number)
{
    kill((pid_t)syscall(SYS_getpid), number);
}

bool was_killed_by_caller(void)
{
    return second_signal != 0;
}

const char *signal_name(int number, char buffer[SIGNAL_NAME])
{
    static const char *const names[] = {
        "",        "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",    "SIGTRAP", "SIGABRT", "SIGBUS",
        "SIGFPE",  "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",   "SIGPIPE", "SIGALRM", "SIGTERM",
        "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP",   "SIGTTIN", "SIGTTOU", "SIGURG",
        "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH",  "SIGIO",   "SIGPWR",  "SIGSYS",
    };
    if ((size_t)number < sizeof names / sizeof *names)
        return names[number];
    char digits[NUMBER];
    const bool is_below = number < FIRST_REAL_TIME;
    const int away = is_below ? FIRST_REAL_TIME - number : number - FIRST_REAL_TIME;
    const char *const parts[] = {"SIGRTMIN", is_below ? "-" : "+", decimal(digits, (uint32_t)away), NULL};
    return join(buffer, SIGNAL_NAME, parts);
}

void end_like(int status)
{
    const int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    int number = 0;
    if (first_signal != 0 && code == 128 + first_signal)
        number = first_signal;
    else if (second_signal != 0 && code == 128 + SIGKILL)
        number = second_signal;
    if (number != 0) {
        sigset_t none;
        sigemptyset(&none);
        signal(number, SIG_DFL);
        sigprocmask(SIG_SETMASK, &none, NULL);
        raise_own(number);
    }
    _exit(code);
}
