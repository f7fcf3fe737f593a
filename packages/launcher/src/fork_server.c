#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "backlog.h"
#include "fds.h"
#include "launcher.h"
#include "process.h"
#include "sandbox.h"

/* A launcher. What it takes for core's socket leads here. Or a tool, which says nothing. */
struct child {
    uint32_t id;
    pid_t pid;
    int socket; /* of a tool its pidfd; -1: it has ended */
    bool is_tool;
    bool waits; /* see launch_request */
    int errors; /* of a tool, see tool.c */
    struct backlog unsent; /* what core has sent */
    time_t kill_time;      /* when it is killed, 0: core has not hung up on it */
};

enum { END_TIMEOUT = 3 }; /* seconds */

static bool wait_for_core(void);
static void forget_ended(void);
static bool make_room(void);
static bool kill_late(void);
static void dispatch(const struct frame *frame);
static void start_child(const struct launch_request *request);
static void start_tool(const struct tool_request *request);
static void write_to_child(uint32_t id, const struct cursor *bytes);
static void end_child(uint32_t id);
static bool pass_on(const struct child *child);
static void reap(struct child *child);
static struct child *find(uint32_t id);
static time_t now(void);

static struct child *children;
static struct pollfd *watched; /* core's socket, and those of the children in their order */
static size_t count, room;
static size_t passing; /* those that were started with what they are to run */

/* When core hangs up this process ends, and every launcher finds its socket closed. */
void serve(void)
{
    struct frame frame;
    reset_signals();
    setsid();
    drop_streams(open_null());
    read_own_inodes();
    share_kill_flags();
    for (;;) {
        if (!wait_for_core())
            continue;
        if (read_frame(&frame) != FRAME_READ)
            _exit(0);
        dispatch(&frame);
        free_frame(&frame);
    }
}

/* Passes on what launchers say, and tells core of each that has ended. True when core has something to say. */
static bool wait_for_core(void)
{
    forget_ended();
    if (!make_room())
        fail(FAILED_SETUP, ENOMEM, "realloc");
    if (passing == 0)
        fork_spare();
    bool ending = kill_late(); /* before the sockets are listed, because it closes some */
    watched[0] = (struct pollfd){.fd = CORE_FD, .events = POLLIN};
    for (size_t index = 0; index < count; index++) {
        short events = children[index].unsent.bytes ? POLLIN | POLLOUT : POLLIN;
        watched[index + 1] = (struct pollfd){.fd = children[index].socket, .events = events};
    }
    if (poll(watched, count + 1, ending ? 1000 : -1) < 0)
        return false;
    for (size_t index = 0; index < count; index++) {
        short came = watched[index + 1].revents;
        if (came & POLLOUT)
            send_backlog(&children[index].unsent, children[index].socket);
        if (came & (POLLIN | POLLHUP | POLLERR | POLLNVAL) && !pass_on(&children[index]))
            reap(&children[index]);
    }
    return watched[0].revents != 0;
}

static void forget_ended(void)
{
    for (size_t index = count; index-- > 0;) {
        if (children[index].socket >= 0)
            continue;
        passing -= !children[index].waits;
        children[index] = children[--count];
    }
}

static bool make_room(void)
{
    if (count < room)
        return true;
    size_t wanted = room ? room * 2 : 64;
    struct child *more = realloc(children, wanted * sizeof *children);
    if (more)
        children = more;
    struct pollfd *polled = more ? realloc(watched, (wanted + 1) * sizeof *watched) : NULL;
    if (!polled)
        return false;
    watched = polled;
    room = wanted;
    return true;
}

/* A launcher dies when it is killed, even if a process of its sandbox is stuck in the kernel. Returns whether there are
 * others to end. */
static bool kill_late(void)
{
    bool ending = false;
    for (size_t index = 0; index < count; index++) {
        struct child *child = &children[index];
        if (child->kill_time == 0 || child->socket < 0)
            continue;
        if (now() < child->kill_time) {
            ending = true;
            continue;
        }
        kill(child->pid, SIGKILL);
        reap(child);
    }
    return ending;
}

static void dispatch(const struct frame *frame)
{
    struct launch_request request;
    struct tool_request tool;
    struct cursor bytes;
    uint32_t id;
    if (frame->type == 'L' && parse_launch_request(frame->payload, frame->size, &request))
        start_child(&request);
    else if (frame->type == 'T' && parse_tool_request(frame->payload, frame->size, &tool))
        start_tool(&tool);
    else if (frame->type == 'D' && parse_data(frame->payload, frame->size, &id, &bytes))
        write_to_child(id, &bytes);
    else if (frame->type == 'E' && parse_id(frame->payload, frame->size, &id))
        end_child(id);
    else if (frame->type == 'O' && parse_id(frame->payload, frame->size, &id))
        release_fds(id);
    else
        fail(FAILED_PROTOCOL, 0, "a frame is out of place");
}

/* Core opens its ends of the pipes while the launcher begins. */
static void start_child(const struct launch_request *request)
{
    struct forked forked;
    if (find(request->id))
        fail(FAILED_PROTOCOL, 0, "two launchers have one id");
    const char *failed = fork_launcher(request, &forked);
    if (failed) {
        report_failed(request->id, FAILED_SETUP, errno, failed);
        return;
    }
    children[count++] = (struct child){
        .id = request->id, .pid = forked.pid, .socket = forked.socket, .waits = request->waits};
    passing += !request->waits;
    write_to_child(request->id, &request->initial_bytes);
}

static void start_tool(const struct tool_request *request)
{
    struct forked_tool tool;
    if (find(request->id))
        fail(FAILED_PROTOCOL, 0, "two launchers have one id");
    const char *failed = fork_tool(request, &tool);
    if (failed) {
        report_failed(request->id, FAILED_SETUP, errno, failed);
        return;
    }
    children[count++] = (struct child){
        .id = request->id, .pid = tool.pid, .socket = tool.pidfd, .is_tool = true, .errors = tool.errors};
    passing++;
}

/* Core may still write to a launcher that has ended. */
static void write_to_child(uint32_t id, const struct cursor *bytes)
{
    struct child *child = find(id);
    if (!child || child->socket < 0 || child->is_tool)
        return;
    if (!send_or_keep(&child->unsent, child->socket, bytes->at, bytes->left))
        end_child(id);
}

static struct child *find(uint32_t id)
{
    for (size_t index = 0; index < count; index++)
        if (children[index].id == id)
            return &children[index];
    return NULL;
}

/* Hangs up, on which a launcher ends its sandbox. */
static void end_child(uint32_t id)
{
    struct child *child = find(id);
    if (!child || child->socket < 0)
        return;
    drop_backlog(&child->unsent);
    shutdown(child->socket, SHUT_WR);
    child->kill_time = now() + END_TIMEOUT;
}

static time_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

/* False at the end of the stream: every process that had the socket is gone, the launcher as the last one. A pidfd can
 * be read when its process has ended. */
static bool pass_on(const struct child *child)
{
    uint8_t bytes[4096];
    struct report report;
    if (child->is_tool)
        return false;
    ssize_t got = recv(child->socket, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got == 0)
        return false;
    begin_report(&report, 'U');
    add_u32(&report, child->id);
    add_bytes(&report, bytes, (size_t)got);
    send_report(&report);
    return true;
}

static void reap(struct child *child)
{
    struct report report;
    int status = wait_for_end(child->pid);
    if (child->is_tool) {
        report_tool(child->id, status, child->errors);
    } else {
        begin_report(&report, 'G');
        add_u32(&report, child->id);
        add_u32(&report, (uint32_t)status);
        send_report(&report);
    }
    drop_backlog(&child->unsent);
    close(child->socket);
    child->socket = -1;
}
