#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process.h"
#include "run_plan.h"
#include "sys.h"

enum watched { CORE, SIGNALS, COPIES, WATCHED = COPIES + RELAYS };

static int time_left(void);
static bool hear(const struct plan *plan, struct planned_command *command, struct planned_end *end);
static void check_ready(const struct frame *frame, const struct plan *plan);
static void take_end(const struct frame *frame, struct planned_end *end);
static _Noreturn void interrupt(int number);
static _Noreturn void finish(const struct plan *plan, const struct planned_command *command, struct planned_end *end);

static pid_t launcher;
/* Whether the sandbox has been found to be as planned. */
static bool is_ready;

void supervise_planned_run(const struct plan *plan, struct planned_command *command, pid_t started, int signals)
{
    struct pollfd watched[WATCHED] = {
        [CORE] = {.fd = CORE_FD, .events = POLLIN},
        [SIGNALS] = {.fd = signals, .events = POLLIN},
    };
    launcher = started;
    for (;;) {
        struct planned_end end = {.status = SIGKILL};
        int number;
        watch_planned_streams(watched + COPIES);
        if (poll(watched, WATCHED, time_left()) < 0) {
            if (errno == EINTR)
                continue;
            refuse("", "poll", errno);
        }
        const bool has_program = command->frame.data == NULL;
        if (watched[SIGNALS].revents && !forward_planned_signal(signals, has_program, &number))
            interrupt(number);
        if (watched[CORE].revents ? hear(plan, command, &end) : !keep_planned_deadline(has_program))
            finish(plan, command, &end);
        copy_planned_streams(watched + COPIES);
    }
}

/* Milliseconds until there is something to do unasked, rounded up; -1: never. */
static int time_left(void)
{
    enum { MOST = 3600000 };
    const uint64_t look = look_at_planned_masks_in_time(), deadline = next_planned_deadline();
    const uint64_t next = look < deadline ? look : deadline;
    if (next == UINT64_MAX)
        return -1;
    const uint64_t time = planned_time();
    const uint64_t left = next > time ? (next - time + 999) / 1000 : 0;
    return left < MOST ? (int)left : MOST;
}

/* Takes what the launcher says. True when the program has ended. */
static bool hear(const struct plan *plan, struct planned_command *command, struct planned_end *end)
{
    struct frame frame;
    const bool has_program = command->frame.data == NULL;
    if (read_frame(&frame) != FRAME_READ)
        refuse("", "the launcher has ended, and the sandbox with it", 0);
    look_at_planned_masks();
    if (frame.type == 'F')
        report_planned_failure(&frame);
    if (frame.type == 'X' && is_ready && has_program) {
        take_end(&frame, end);
        return true;
    }
    if (frame.type != 'R' || is_ready)
        refuse("", "the launcher broke the protocol", 0);
    check_ready(&frame, plan);
    free_frame(&frame);
    if (!has_program)
        send_report(&command->frame); /* and frees it */
    return false;
}

static void check_ready(const struct frame *frame, const struct plan *plan)
{
    static const struct planned_error error = {
        "VERIFY_FAILED", "", false, "the sandbox is not what was planned", 0, EXIT_NO_SANDBOX,
    };
    struct cursor ready = cursor_over(frame->payload, frame->size);
    if (!is_as_planned(frame->payload, frame->size, &plan->setup))
        refuse_as(&error);
    open_planned_masks(plan, take_u32(&ready));
    is_ready = true;
}

static void take_end(const struct frame *frame, struct planned_end *end)
{
    struct cursor exited = cursor_over(frame->payload, frame->size);
    take_u32(&exited);
    end->status = (int)take_u32(&exited);
    end->has_usage = true;
    for (int index = 0; index < USAGE_NUMBERS; index++)
        end->usage[index] = take_u64(&exited);
    if (!cursor_done(&exited))
        refuse("", "the launcher broke the protocol", 0);
}

void stop_planned_run(void)
{
    if (launcher <= 0)
        return;
    shutdown(CORE_FD, SHUT_RDWR);
    wait_for_end(launcher);
    launcher = 0;
}

/* There is no program yet that could be sent the signal. */
static void interrupt(int number)
{
    char name[SIGNAL_NAME], message[64];
    const char *const parts[] = {"ended by ", signal_name(number, name), NULL};
    stop_planned_run();
    write_error("INTERRUPTED", NULL, join(message, sizeof message, parts));
    end_like(number);
}

/* Nothing is left of the sandbox when this process ends, and all that it wrote has been copied. */
static void finish(const struct plan *plan, const struct planned_command *command, struct planned_end *end)
{
    struct pollfd watched[RELAYS];
    end->taken = planned_time();
    stop_planned_run();
    while (has_planned_output()) {
        watch_planned_streams(watched);
        if (poll(watched, RELAYS, -1) > 0)
            copy_planned_streams(watched);
    }
    const enum planned_outcome outcome = outcome_of(end, command);
    write_result(outcome, end, plan, command);
    end_with(outcome, end->status);
}
