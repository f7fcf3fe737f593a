#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run_plan.h"

static bool was_ended_by_cpu_limit(const struct planned_end *end, uint64_t limit);

/* As core decides it. */
enum planned_outcome outcome_of(const struct planned_end *end, const struct planned_command *command)
{
    if (has_timed_out(end->taken))
        return TIMED_OUT;
    if (!WIFSIGNALED(end->status))
        return EXITED;
    if (command->file_size != UINT64_MAX && WTERMSIG(end->status) == SIGXFSZ)
        return FILE_SIZE_EXCEEDED;
    if (command->cpu_seconds != UINT64_MAX && was_ended_by_cpu_limit(end, command->cpu_seconds))
        return CPU_TIME_EXCEEDED;
    return SIGNALED;
}

/* A program may send such a signal to itself. The kernel counts in ticks, so the time that it tells may be a little
 * off; a program that ignores SIGXCPU is killed a second later. */
static bool was_ended_by_cpu_limit(const struct planned_end *end, uint64_t limit)
{
    enum { HALF = 500000 };
    const uint64_t spent = end->usage[0] + end->usage[1], microseconds = limit * 1000000;
    const int number = WTERMSIG(end->status);
    return (number == SIGXCPU && spent + HALF > microseconds) ||
           (number == SIGKILL && spent > microseconds + HALF && !was_killed_by_caller());
}

void end_with(enum planned_outcome outcome, int status)
{
    static const struct {
        const char *line;
        int exit_status;
    } ends[] = {
        [TIMED_OUT] = {"sandboxlib-launcher: the wall time limit was reached\n", EXIT_TIMED_OUT},
        [CPU_TIME_EXCEEDED] = {"sandboxlib-launcher: the limit cpuTime was reached\n", 128 + SIGXCPU},
        [FILE_SIZE_EXCEEDED] = {"sandboxlib-launcher: the limit fileSize was reached\n", 128 + SIGXFSZ},
    };
    if (outcome == EXITED || outcome == SIGNALED)
        end_like(status);
    tell(ends[outcome].line);
    _exit(ends[outcome].exit_status);
}
