#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fds.h"
#include "process.h"
#include "sandbox.h"

enum { MOST_COMMANDS = 1024 };

/* A command that has not ended. */
struct running {
    uint32_t id;   /* 0: a free place */
    pid_t pid;
    int status_fd; /* -1: it has been read */
    bool failed;   /* and that was reported */
};

enum watched { CHILDREN, CORE, FIXED };

static nfds_t watch_starting(struct pollfd *watched);
static void handle_status(int status_fd);
static void handle_children(int children);
static void end_command(pid_t pid, int status, const struct rusage *usage);
static void handle_frame(const struct sandbox *sandbox);
static void begin_command(const struct sandbox *sandbox, const struct frame *frame);
static struct running *find(uint32_t id);
static const char *start(const struct sandbox *sandbox, const struct command *command, struct running *running);
static bool choose_streams(const struct sandbox *sandbox, const struct command *command, const int made[3],
                           const int sent[3], int streams[3]);
static void receive_streams(const struct command *command, int fds[3]);
static const char *fork_command(const struct sandbox *sandbox, const struct command *command, const int streams[3],
                                const struct fd_message *ends, struct running *running);
static bool is_stored(int launcher);
static void signal_command(uint32_t id, int number);
static void release_pipes(int launcher, uint32_t id);

static struct running commands[MOST_COMMANDS];
static int used; /* no place from here on was ever taken */

/* Keeps the standard streams that it was started with, because commands may ask for them. What a command leaves running
 * stays until the session ends. */
void serve_session(const struct sandbox *sandbox, struct readback *readback)
{
    static struct pollfd watched[FIXED + MOST_COMMANDS];
    watched[CHILDREN] = (struct pollfd){.fd = watch_children(), .events = POLLIN};
    watched[CORE] = (struct pollfd){.fd = CORE_FD, .events = POLLIN};
    report_ready(readback);
    for (;;) {
        nfds_t starting = watch_starting(watched + FIXED);
        if (poll(watched, FIXED + starting, -1) < 0 && errno != EINTR)
            _exit(1);
        for (nfds_t index = FIXED; index < FIXED + starting; index++)
            if (watched[index].revents)
                handle_status(watched[index].fd);
        if (watched[CHILDREN].revents)
            handle_children(watched[CHILDREN].fd);
        if (watched[CORE].revents)
            handle_frame(sandbox);
    }
}

/* The commands between fork and exec. */
static nfds_t watch_starting(struct pollfd *watched)
{
    nfds_t count = 0;
    for (int index = 0; index < used; index++)
        if (commands[index].id != 0 && commands[index].status_fd >= 0)
            watched[count++] = (struct pollfd){.fd = commands[index].status_fd, .events = 0};
    return count;
}

static void handle_status(int status_fd)
{
    struct start_status status;
    for (int index = 0; index < used; index++) {
        struct running *running = &commands[index];
        if (running->id == 0 || running->status_fd != status_fd)
            continue;
        if (read_status(status_fd, &status) && !running->failed) {
            report_failed(running->id, status.kind, status.error, status.what);
            running->failed = true;
        }
        close(status_fd);
        running->status_fd = -1;
    }
}

static void handle_children(int children)
{
    struct rusage usage;
    int status;
    next_signal(children); /* one read clears the fd, as only one SIGCHLD is ever pending */
    for (pid_t pid; (pid = wait4(-1, &status, WNOHANG, &usage)) > 0;)
        if (has_ended(pid, status))
            end_command(pid, status, &usage);
}

static void end_command(pid_t pid, int status, const struct rusage *usage)
{
    for (int index = 0; index < used; index++) {
        struct running *running = &commands[index];
        if (running->id == 0 || running->pid != pid)
            continue;
        if (running->status_fd >= 0)
            handle_status(running->status_fd);
        if (!running->failed)
            report_exited(running->id, status, usage);
        running->id = 0;
    }
}

static void handle_frame(const struct sandbox *sandbox)
{
    struct frame frame;
    uint32_t id, number;
    switch (read_frame(&frame)) {
    case FRAME_END:
        kill_all_others(NULL); /* the launcher would do it, unless somebody has stopped it */
        _exit(0);
    case FRAME_BROKEN:
        fail(FAILED_PROTOCOL, 0, "a frame is broken");
    case FRAME_READ:
        break;
    }
    if (frame.type == 'C')
        begin_command(sandbox, &frame);
    else if (frame.type == 'K' && parse_signal(frame.payload, frame.size, &id, &number))
        signal_command(id, (int)number);
    else if (frame.type == 'O' && parse_id(frame.payload, frame.size, &id))
        release_pipes(sandbox->launcher, id);
    else
        fail(FAILED_PROTOCOL, 0, "a frame is out of place");
    free_frame(&frame);
}

static void begin_command(const struct sandbox *sandbox, const struct frame *frame)
{
    struct command command;
    const char *wrong = parse_command(frame->payload, frame->size, MODE_SESSION, &command);
    if (!wrong && find(command.id))
        wrong = "two commands have one id";
    if (wrong)
        fail(FAILED_PROTOCOL, 0, wrong);
    struct running *running = find(0);
    if (!running && used < MOST_COMMANDS)
        running = &commands[used++];
    if (!running) {
        report_failed(command.id, FAILED_SETUP, EAGAIN, "too many commands at the same time");
        return;
    }
    *running = (struct running){.id = command.id, .status_fd = -1};
    const char *failed = start(sandbox, &command, running);
    if (!failed)
        return;
    report_failed(running->id, FAILED_SETUP, errno, failed);
    running->failed = true;
    if (running->pid == 0)
        running->id = 0;
}

static struct running *find(uint32_t id)
{
    for (int index = 0; index < used; index++)
        if (commands[index].id == id)
            return &commands[index];
    return NULL;
}

/* Returns NULL, or what failed, with errno. When there is a pid then, its process is about to end. */
static const char *start(const struct sandbox *sandbox, const struct command *command, struct running *running)
{
    struct pipes pipes;
    int streams[3], sent[3] = {-1, -1, -1};
    const char *failed = "the standard streams";
    receive_streams(command, sent);
    if (make_pipes(command->id, command->streams, &pipes) &&
        choose_streams(sandbox, command, pipes.program, sent, streams))
        failed = fork_command(sandbox, command, streams, &pipes.core, running);
    int error = errno;
    close_fds(sent);
    close_fds(pipes.program);
    close_fds(pipes.core.fds);
    errno = error;
    return failed;
}

/* Core has the streams sent before the command, and in the order of the commands. Those of another command are left
 * over from one that core has given up. */
static void receive_streams(const struct command *command, int fds[3])
{
    struct fd_message message = {.fds = {-1, -1, -1}};
    if (!memchr(command->streams, STREAM_SENT, 3))
        return;
    do {
        close_fds(message.fds);
        if (receive_fds(STREAMS_FD, MSG_DONTWAIT, &message) == RECEIVED_NOTHING)
            fail(FAILED_PROTOCOL, 0, "the streams of a command were not sent before it");
    } while (message.id != command->id);
    memcpy(fds, message.fds, sizeof message.fds);
}

static bool choose_streams(const struct sandbox *sandbox, const struct command *command, const int made[3],
                           const int sent[3], int streams[3])
{
    for (int fd = 0; fd < 3; fd++) {
        switch ((enum stream)command->streams[fd]) {
        case STREAM_OWN:
            streams[fd] = fd;
            break;
        case STREAM_NULL:
            streams[fd] = sandbox->null;
            break;
        case STREAM_PIPE:
        case STREAM_LARGE:
            streams[fd] = made[fd];
            break;
        case STREAM_OUTPUT:
            streams[fd] = 1;
            break;
        case STREAM_SENT:
            streams[fd] = sent[fd];
            break;
        }
        if (streams[fd] < 0) {
            errno = EMFILE; /* this process could not have more fds when they came */
            return false;
        }
    }
    return true;
}

/* Sends core's ends of the pipes to the launcher, which tells core where they are while the program starts: core cannot
 * open fds of this process, which is not dumpable. Core has to know of them before it hears of the program's end. */
static const char *fork_command(const struct sandbox *sandbox, const struct command *command, const int streams[3],
                                const struct fd_message *ends, struct running *running)
{
    int status_pipe[2];
    bool has_pipes = memchr(command->streams, STREAM_PIPE, 3) || memchr(command->streams, STREAM_LARGE, 3);
    if (pipe2(status_pipe, O_CLOEXEC) != 0)
        return "pipe2";
    if (has_pipes && !send_fds(sandbox->launcher, ends)) {
        close(status_pipe[0]);
        close(status_pipe[1]);
        return "sendmsg";
    }
    pid_t child = fork();
    int error = errno;
    if (child == 0)
        become_command(sandbox, command, streams, status_pipe[1]);
    close(status_pipe[1]);
    bool stored = !has_pipes || is_stored(sandbox->launcher);
    if (child < 0) {
        close(status_pipe[0]);
        errno = error;
        return "fork";
    }
    running->pid = child;
    running->status_fd = status_pipe[0];
    if (stored)
        return NULL;
    kill(child, SIGKILL);
    errno = EMFILE;
    return "the launcher cannot hold more pipes";
}

/* The launcher answers when it has told core. */
static bool is_stored(int launcher)
{
    uint8_t answer;
    ssize_t got;
    do
        got = read(launcher, &answer, 1);
    while (got < 0 && errno == EINTR);
    return got == 1 && answer == 1;
}

/* SIGKILL goes to the whole process group, because the program cannot pass it on. */
static void signal_command(uint32_t id, int number)
{
    struct running *running = id == 0 ? NULL : find(id);
    if (!running)
        return;
    if (number == SIGKILL)
        kill(-running->pid, SIGKILL);
    signal_program(running->pid, number);
}

/* A message without fds releases those of that id. */
static void release_pipes(int launcher, uint32_t id)
{
    const struct fd_message release = {.id = id, .fds = {-1, -1, -1}};
    send_fds(launcher, &release);
}
