#include "commands.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "brought.h"
#include "outcome.h"
#include "program.h"
#include "signals.h"
#include "start.h"

struct live {
    uint32_t id; /* 0: a free place */
    pid_t pid;   /* 0: waits for the courier */
    int notes;   /* -1: its exec is over */
    bool failed;
    int stop; /* a signal that stops it as soon as it has begun; 0: none */
    struct frame frame;
    struct command command;
};

static void begin(const struct sandbox *sandbox, struct live *live, const struct handover *streams);
static void forget(struct live *live);
static struct live *find(uint32_t id);
static void signal_waiting(struct live *live, int number);

static struct live commands[MOST_COMMANDS];
static int used; /* no place from here on was ever taken */

void accept_command(const struct sandbox *sandbox, struct frame *frame)
{
    struct command command;
    const char *wrong = parse_command(frame->payload, frame->size, MODE_SESSION, &command);
    if (!wrong && find(command.id))
        wrong = "two commands have one id";
    if (wrong)
        fail(FAILED_PROTOCOL, 0, wrong);
    struct live *live = find(0);
    if (!live && used < MOST_COMMANDS)
        live = &commands[used++];
    if (!live) {
        report_failed(command.id, FAILED_SETUP, EAGAIN, "too many commands at the same time");
        free_frame(frame);
        return;
    }
    *live = (struct live){.id = command.id, .notes = -1, .frame = *frame, .command = command};
    struct handover streams = {.fds = {-1, -1, -1}};
    if (take_brought(command.id, &streams) || !wants_courier(&command))
        begin(sandbox, live, &streams);
}

static void begin(const struct sandbox *sandbox, struct live *live, const struct handover *streams)
{
    const char *failed = start(sandbox, &live->command, streams->fds, &live->pid, &live->notes);
    int error = errno;
    close_all(streams->fds);
    free_frame(&live->frame);
    if (live->stop && live->pid != 0)
        signal_program(live->pid, live->stop);
    if (!failed)
        return;
    report_failed(live->id, FAILED_SETUP, error, failed);
    live->failed = true;
    if (live->pid == 0)
        forget(live);
}

static void forget(struct live *live)
{
    if (live->notes >= 0)
        close(live->notes);
    free_frame(&live->frame);
    live->id = 0;
}

static struct live *find(uint32_t id)
{
    for (int index = 0; index < used; index++)
        if (commands[index].id == id)
            return &commands[index];
    return NULL;
}

void accept_streams(const struct sandbox *sandbox, const struct handover *streams)
{
    struct live *live = streams->id == 0 ? NULL : find(streams->id);
    if (!live)
        keep_brought(streams);
    else if (live->pid == 0)
        begin(sandbox, live, streams);
    else
        close_all(streams->fds); /* it did not ask for them, and whoever has the id next must not */
}

void refuse_streams(const struct sandbox *sandbox, uint32_t id)
{
    const struct handover nothing = {.id = id, .fds = {-1, -1, -1}};
    accept_streams(sandbox, &nothing);
}

nfds_t watch_starting(struct pollfd *watched)
{
    nfds_t count = 0;
    for (int index = 0; index < used; index++)
        if (commands[index].id != 0 && commands[index].notes >= 0)
            watched[count++] = (struct pollfd){.fd = commands[index].notes, .events = 0};
    return count;
}

void settle_start(int notes)
{
    struct note note;
    for (int index = 0; index < used; index++) {
        struct live *live = &commands[index];
        if (live->id == 0 || live->notes != notes)
            continue;
        if (read_notes(notes, &note) && !live->failed) {
            report_failed(live->id, note.kind, note.error, note.what);
            live->failed = true;
        }
        close(notes);
        live->notes = -1;
    }
}

/* The whole process group, when there is no way to ask the program to pass it on. */
void signal_command(uint32_t id, int number)
{
    struct live *live = id == 0 ? NULL : find(id);
    if (!live)
        return;
    if (live->pid == 0) {
        signal_waiting(live, number);
        return;
    }
    if (number == SIGKILL)
        kill(-live->pid, SIGKILL);
    signal_program(live->pid, number);
}

/* What it would do to a process that has not begun, whose signals all do what they do by default. */
static void signal_waiting(struct live *live, int number)
{
    static const struct rusage none;
    enum signal_action action = default_action(number);
    if (action == ACTION_STOP || number == SIGCONT)
        live->stop = number == SIGCONT ? 0 : number;
    if (action != ACTION_END)
        return;
    report_exited(live->id, number, &none);
    forget(live);
}

void end_command(pid_t pid, int status, const struct rusage *usage)
{
    for (int index = 0; index < used; index++) {
        struct live *live = &commands[index];
        if (live->id == 0 || live->pid != pid)
            continue;
        if (live->notes >= 0)
            settle_start(live->notes);
        if (!live->failed)
            report_exited(live->id, status, usage);
        forget(live);
    }
}
