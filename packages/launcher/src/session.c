#include "session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "frame.h"
#include "outcome.h"
#include "parking.h"
#include "reap.h"
#include "signals.h"

enum watched { CHILDREN, CORE, COURIER, FIXED };

static void handle_frame(const struct sandbox *sandbox);
static void handle_courier(const struct sandbox *sandbox, struct pollfd *courier);
static void handle_children(int children);

/* It keeps the standard streams that it was started with, which commands may ask for. What a command
 * left running stays until the session ends. */
void serve_session(const struct sandbox *sandbox, struct readback *readback)
{
    static struct pollfd watched[FIXED + MOST_COMMANDS];
    watched[CHILDREN] = (struct pollfd){.fd = watch_children(), .events = POLLIN};
    watched[CORE] = (struct pollfd){.fd = CORE_FD, .events = POLLIN};
    watched[COURIER] = (struct pollfd){.fd = COURIER_FD, .events = POLLIN};
    report_ready(readback);
    for (;;) {
        nfds_t starting = watch_starting(watched + FIXED);
        if (poll(watched, FIXED + starting, -1) < 0 && errno != EINTR)
            _exit(1);
        for (nfds_t index = FIXED; index < FIXED + starting; index++)
            if (watched[index].revents)
                settle_start(watched[index].fd);
        if (watched[CHILDREN].revents)
            handle_children(watched[CHILDREN].fd);
        if (watched[COURIER].revents)
            handle_courier(sandbox, &watched[COURIER]);
        if (watched[CORE].revents)
            handle_frame(sandbox);
    }
}

static void handle_frame(const struct sandbox *sandbox)
{
    struct frame frame;
    uint32_t id, number;
    enum frame_read got = read_frame(&frame);
    if (got == FRAME_END) {
        end_all_others(); /* the launcher may be stopped */
        _exit(0);
    }
    if (got == FRAME_BROKEN)
        fail(FAILED_PROTOCOL, 0, "a frame is broken");
    if (frame.type == 'C') {
        accept_command(sandbox, &frame);
        return;
    }
    if (frame.type == 'K' && parse_signal(frame.payload, frame.size, &id, &number))
        signal_command(id, (int)number);
    else if (frame.type == 'O' && parse_opened(frame.payload, frame.size, &id))
        unpark(sandbox->launcher, id);
    else
        fail(FAILED_PROTOCOL, 0, "a frame is out of place");
    free_frame(&frame);
}

static void handle_courier(const struct sandbox *sandbox, struct pollfd *courier)
{
    struct handover streams;
    switch (take_over(COURIER_FD, &streams)) {
    case TAKEN:
        accept_streams(sandbox, &streams);
        break;
    case TAKEN_NOT_ALL:
        refuse_streams(sandbox, streams.id);
        break;
    case TAKEN_NOTHING:
        courier->fd = -1;
        break;
    }
}

static void handle_children(int children)
{
    struct rusage usage;
    int status;
    next_signal(children); /* there is never more than one SIGCHLD, and a flood of them keeps nobody here */
    for (pid_t pid; (pid = wait4(-1, &status, WNOHANG, &usage)) > 0;)
        if (is_end(pid, status))
            end_command(pid, status, &usage);
}
