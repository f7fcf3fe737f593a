#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "process.h"
#include "sandbox.h"
#include "terminal.h"

enum watched { CHILDREN, STATUS, LAUNCHER, CORE, WATCHED };
enum { HANGUP_TIMEOUT = 1000 }; /* milliseconds */

static _Noreturn void wait_for_command(const struct sandbox *sandbox, int status_fd);
static _Noreturn void watch_program(const struct sandbox *sandbox, int children, int status_fd, pid_t program);
static void handle_status(int status_fd, uint32_t *id);
static void handle_frame(const struct sandbox *sandbox, uint32_t id, pid_t program);
static void forward_signal(struct pollfd *launcher, pid_t program);
static _Noreturn void end_run(uint32_t id, pid_t program);
static _Noreturn void finish(uint32_t id, int status, const struct rusage *usage);
static _Noreturn void report_end(uint32_t id, bool is_over, int status, const struct rusage *usage);

/* What the program's process says in its status before a command with a terminal. */
static const char HAS_TERMINAL[] = "terminal";
static bool has_terminal;

/* The program's process reads the command itself, so that a command takes no more than a wake-up and an exec. Until the
 * exec, which closes the status pipe, only that process reads from core, and afterwards only this one. */
void serve_run(const struct sandbox *sandbox, struct readback *readback)
{
    int status_pipe[2];
    int children = watch_children();
    if (pipe2(status_pipe, O_CLOEXEC) != 0)
        fail(FAILED_SETUP, errno, "pipe2");
    pid_t program = fork();
    if (program < 0)
        fail(FAILED_SETUP, errno, "fork");
    if (program == 0)
        wait_for_command(sandbox, status_pipe[1]);
    report_ready(readback);
    close(status_pipe[1]);
    drop_streams(sandbox->null);
    watch_program(sandbox, children, status_pipe[0], program);
}

static void wait_for_command(const struct sandbox *sandbox, int status_fd)
{
    static const int own[3] = {0, 1, 2};
    struct frame frame;
    struct command command;
    int streams[3];
    restore_signals(); /* a signal may end a sandbox that still waits for its command */
    enum frame_read got = read_frame(&frame);
    if (got == FRAME_END)
        _exit(0);
    const char *wrong = "a frame is broken";
    if (got == FRAME_READ && frame.type == 'C')
        wrong = parse_command(frame.payload, frame.size, MODE_RUN, &command);
    if (wrong) {
        write_status(status_fd, 0, true, FAILED_PROTOCOL, 0, wrong);
        _exit(1);
    }
    write_status(status_fd, command.id, false, 0, 0, command.terminal ? HAS_TERMINAL : "");
    for (int fd = 0; fd < 3; fd++)
        streams[fd] = command.streams[fd] == STREAM_NULL ? sandbox->null : own[fd];
    if (command.streams[2] == STREAM_OUTPUT)
        streams[2] = 1;
    become_command(sandbox, &command, streams, status_fd);
}

static void watch_program(const struct sandbox *sandbox, int children, int status_fd, pid_t program)
{
    uint32_t id = 0;
    struct pollfd watched[WATCHED] = {
        [CHILDREN] = {.fd = children, .events = POLLIN},
        [STATUS] = {.fd = status_fd, .events = 0},
        [LAUNCHER] = {.fd = sandbox->launcher, .events = POLLIN},
        [CORE] = {.fd = -1, .events = POLLIN},
    };
    for (;;) {
        if (poll(watched, WATCHED, -1) < 0 && errno != EINTR)
            _exit(1);
        if (watched[STATUS].revents) {
            handle_status(status_fd, &id);
            watched[STATUS].fd = -1;
            watched[STATUS].revents = 0;
            watched[CORE].fd = CORE_FD;
        }
        struct rusage usage;
        int status;
        if (watched[CHILDREN].revents && reap_until(children, program, &status, &usage)) {
            if (watched[STATUS].fd >= 0)
                handle_status(status_fd, &id);
            finish(id, status, &usage);
        }
        if (watched[LAUNCHER].revents)
            forward_signal(&watched[LAUNCHER], program);
        if (watched[CORE].revents)
            handle_frame(sandbox, id, program);
    }
}

/* When this returns, the exec was done. */
static void handle_status(int status_fd, uint32_t *id)
{
    struct start_status status;
    if (!read_status(status_fd, &status))
        fail(FAILED_SETUP, 0, "the program's process ended before the program was started");
    if (status.failed) {
        report_failed(status.id, status.kind, status.error, status.what);
        kill_all_others(NULL);
        _exit(0);
    }
    *id = status.id;
    has_terminal = status.what[0] != '\0';
}

static void handle_frame(const struct sandbox *sandbox, uint32_t id, pid_t program)
{
    struct frame frame;
    uint32_t command, number, columns, rows;
    switch (read_frame(&frame)) {
    case FRAME_END:
        kill_all_others(NULL); /* the launcher would do it, unless somebody has stopped it */
        _exit(0);
    case FRAME_BROKEN:
        fail(FAILED_PROTOCOL, 0, "a frame is broken");
    case FRAME_READ:
        break;
    }
    if (frame.type == 'K' && parse_signal(frame.payload, frame.size, &command, &number)) {
        if (command == id && number == SIGKILL)
            end_run(id, program);
        if (command == id)
            signal_program(program, (int)number);
    } else if (frame.type == 'W' && parse_window_size(frame.payload, frame.size, &command, &columns, &rows)) {
        if (command == id)
            resize_terminal(sandbox->launcher, columns, rows);
    } else {
        fail(FAILED_PROTOCOL, 0, "a frame is out of place");
    }
    free_frame(&frame);
}

/* The launcher sends on the signals that it gets. */
static void forward_signal(struct pollfd *launcher, pid_t program)
{
    uint8_t number;
    if (read(launcher->fd, &number, 1) != 1)
        launcher->fd = -1; /* it is dead, and the kernel is about to kill this process */
    else
        signal_program(program, number);
}

/* Core ends everything. All of it counts: the program could not wait for what it had started. */
static void end_run(uint32_t id, pid_t program)
{
    struct end end = {.program = program, .status = SIGKILL};
    report_end(id, kill_all_others(&end), end.status, &end.usage);
}

static void finish(uint32_t id, int status, const struct rusage *usage)
{
    report_end(id, kill_all_others(NULL), status, usage);
}

/* Stays until core has hung up, as it reads from /proc what this process, and so the sandbox, was. The launcher would
 * kill it then, but a little later. */
static void report_end(uint32_t id, bool is_over, int status, const struct rusage *usage)
{
    if (is_over)
        report_exited(id, status, usage);
    else
        report_failed(0, FAILED_END, 0, "processes of the sandbox do not end");
    struct pollfd core = {.fd = CORE_FD, .events = POLLRDHUP};
    if (!has_terminal)
        poll(&core, 1, HANGUP_TIMEOUT);
    _exit(0);
}
