#include <signal.h>
#include <time.h>

#include "run_plan.h"

/* Microseconds within which a program that was killed has to end, as it is given up then. */
enum { LAST_WORDS = 1000000 };

static uint64_t now(void);
static bool end_program(bool has_program);

static uint64_t started_at, wall_time, grace;
static int stop_signal;
static bool is_over, was_killed;
/* What comes next; UINT64_MAX: nothing. */
static uint64_t kill_at = UINT64_MAX, give_up_at = UINT64_MAX;

void start_planned_time(void)
{
    started_at = now();
}

uint64_t planned_time(void)
{
    return now() - started_at;
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

void set_planned_deadline(const struct plan *plan)
{
    wall_time = plan->wall_time > 0 ? plan->wall_time : UINT64_MAX;
    stop_signal = (int)plan->stop_signal;
    grace = plan->grace;
}

uint64_t next_planned_deadline(void)
{
    const uint64_t next = is_over ? kill_at : wall_time;
    return next < give_up_at ? next : give_up_at;
}

bool keep_planned_deadline(bool has_program)
{
    const uint64_t time = planned_time();
    if (time >= give_up_at)
        return false;
    if (!is_over && time >= wall_time) {
        is_over = true;
        if (stop_signal == 0 || !has_program)
            return end_program(has_program);
        kill_at = time + grace;
        send_planned_signal(stop_signal);
        send_planned_signal(SIGCONT); /* a program that is stopped could not act on it */
    }
    if (time < kill_at)
        return true;
    return end_program(has_program);
}

static bool end_program(bool has_program)
{
    kill_at = UINT64_MAX;
    was_killed = true;
    if (has_program)
        kill_planned_program();
    return has_program;
}

/* By a signal, so that pid 1 can say what the run has used. */
void kill_planned_program(void)
{
    send_planned_signal(SIGKILL);
    if (give_up_at == UINT64_MAX)
        give_up_at = planned_time() + LAST_WORDS;
}

bool has_timed_out(uint64_t taken)
{
    return is_over || taken >= wall_time;
}

bool was_killed_in_time(void)
{
    return was_killed;
}
