#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frame.h"
#include "outcome.h"
#include "program.h"
#include "pty.h"
#include "reap.h"
#include "signals.h"

enum watched { CHILDREN, NOTES, LAUNCHER, CORE, WATCHED };
enum { PATIENCE = 1000 }; /* milliseconds */

static _Noreturn void wait_for_command(const struct sandbox *sandbox, int notes);
static void handle_note(int notes, uint32_t *id);
static void handle_frame(const struct sandbox *sandbox, uint32_t id, pid_t program);
static void forward_signal(struct pollfd *launcher, pid_t program);
static _Noreturn void finish(uint32_t id, int status, const struct rusage *usage);

static const char HAS_TERMINAL[] = "terminal";
static bool has_terminal;

/* The program's process waits for the command itself, so that a run is a wake-up and an exec. Until
 * the exec, which closes the pipe for notes, only that process reads from core; afterwards only this
 * one. */
void serve_run(const struct sandbox *sandbox, struct readback *readback)
{
    int notes[2];
    uint32_t id = 0;
    int children = watch_children();
    if (pipe2(notes, O_CLOEXEC) != 0)
        fail(FAILED_SETUP, errno, "pipe2");
    pid_t program = fork();
    if (program < 0)
        fail(FAILED_SETUP, errno, "fork");
    if (program == 0)
        wait_for_command(sandbox, notes[1]);
    report_ready(readback);
    close(notes[1]);
    hold_no_streams(sandbox->null);
    struct pollfd watched[WATCHED] = {
        [CHILDREN] = {.fd = children, .events = POLLIN},
        [NOTES] = {.fd = notes[0], .events = 0},
        [LAUNCHER] = {.fd = sandbox->launcher, .events = POLLIN},
        [CORE] = {.fd = -1, .events = POLLIN},
    };
    for (;;) {
        if (poll(watched, WATCHED, -1) < 0 && errno != EINTR)
            _exit(1);
        if (watched[NOTES].revents) {
            handle_note(notes[0], &id);
            watched[NOTES].fd = -1;
            watched[NOTES].revents = 0;
            watched[CORE].fd = CORE_FD;
        }
        struct rusage usage;
        int status;
        if (watched[CHILDREN].revents && reap_until(children, program, &status, &usage)) {
            if (watched[NOTES].fd >= 0)
                handle_note(notes[0], &id);
            finish(id, status, &usage);
        }
        if (watched[LAUNCHER].revents)
            forward_signal(&watched[LAUNCHER], program);
        if (watched[CORE].revents)
            handle_frame(sandbox, id, program);
    }
}

static void wait_for_command(const struct sandbox *sandbox, int notes)
{
    static const int own[3] = {0, 1, 2};
    struct frame frame;
    struct command command;
    int streams[3];
    restore_signals(); /* whoever wants a sandbox that waits to end may say so with a signal */
    enum frame_read got = read_frame(&frame);
    if (got == FRAME_END)
        _exit(0);
    const char *wrong = "a frame is broken";
    if (got == FRAME_READ && frame.type == 'C')
        wrong = parse_command(frame.payload, frame.size, MODE_RUN, &command);
    if (wrong) {
        write_note(notes, 0, true, FAILED_PROTOCOL, 0, wrong);
        _exit(1);
    }
    write_note(notes, command.id, false, 0, 0, command.terminal ? HAS_TERMINAL : "");
    for (int fd = 0; fd < 3; fd++)
        streams[fd] = command.streams[fd] == STREAM_NULL ? sandbox->null : own[fd];
    if (command.streams[2] == STREAM_OUTPUT)
        streams[2] = 1;
    become_command(sandbox, &command, streams, notes);
}

/* Either the exec was done and the note holds the id, or there will be none. */
static void handle_note(int notes, uint32_t *id)
{
    struct note note;
    if (!read_notes(notes, &note))
        fail(FAILED_SETUP, 0, "the program's process ended before the program was started");
    if (note.failed) {
        report_failed(note.id, note.kind, note.error, note.what);
        end_all_others();
        _exit(0);
    }
    *id = note.id;
    has_terminal = note.what[0] != '\0';
}

static void handle_frame(const struct sandbox *sandbox, uint32_t id, pid_t program)
{
    struct frame frame;
    uint32_t command, number, columns, rows;
    switch (read_frame(&frame)) {
    case FRAME_END:
        end_all_others(); /* the launcher may be stopped */
        _exit(0);
    case FRAME_BROKEN:
        fail(FAILED_PROTOCOL, 0, "a frame is broken");
    case FRAME_READ:
        break;
    }
    if (frame.type == 'K' && parse_signal(frame.payload, frame.size, &command, &number)) {
        if (command == id)
            signal_program(program, (int)number);
    } else if (frame.type == 'W' && parse_size(frame.payload, frame.size, &command, &columns, &rows)) {
        if (command == id)
            resize_terminal(sandbox->launcher, columns, rows);
    } else {
        fail(FAILED_PROTOCOL, 0, "a frame is out of place");
    }
    free_frame(&frame);
}

/* The launcher got it from outside. */
static void forward_signal(struct pollfd *launcher, pid_t program)
{
    uint8_t number;
    if (read(launcher->fd, &number, 1) != 1)
        launcher->fd = -1; /* it is dead, and the kernel is about to kill this process */
    else
        signal_program(program, number);
}

/* What core reads of this process tells it what the sandbox was, also where the program ended at once:
 * the launcher kills it when core has hung up. */
static void finish(uint32_t id, int status, const struct rusage *usage)
{
    if (end_all_others())
        report_exited(id, status, usage);
    else
        report_failed(0, FAILED_END, 0, "processes of the sandbox do not end");
    if (!has_terminal)
        poll(NULL, 0, PATIENCE);
    _exit(0);
}
