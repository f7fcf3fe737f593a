#include "branch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backlog.h"
#include "fork.h"
#include "frame.h"
#include "handover.h"
#include "outcome.h"

struct branch {
    struct forked forked;
    uint32_t id;
    bool opened; /* core has its ends of the streams */
    struct backlog backlog;
    time_t deadline; /* when it is killed, 0: it has not been told to end */
};

enum { PATIENCE_SECONDS = 3 };

static time_t now(void);
static bool make_room(void);
static void forget_done(void);
static void let_go(struct branch *branch);
static bool kill_late(void);
static void report_began(const struct branch *branch);
static bool hand_on(const struct branch *branch);
static void bury(struct branch *branch);
static struct branch *find(uint32_t id);

/* What is polled has core's socket in front. */
static struct branch *branches;
static struct pollfd *watched;
static size_t count, room;

void begin_branch(const struct order *order)
{
    if (find(order->id))
        fail(FAILED_PROTOCOL, 0, "two launchers have one id");
    if (!make_room()) {
        report_failed(order->id, FAILED_SETUP, ENOMEM, "realloc");
        return;
    }
    struct branch *branch = &branches[count];
    *branch = (struct branch){.id = order->id};
    const char *failed = make_streams(order, &branch->forked);
    if (failed) {
        let_go(branch);
    } else {
        report_began(branch); /* core can open its ends meanwhile */
        failed = fork_launcher(order, &branch->forked);
    }
    count++;
    if (failed)
        report_failed(order->id, FAILED_SETUP, errno, failed);
    else
        write_to_branch(order->id, &order->greeting);
}

static bool make_room(void)
{
    if (count < room)
        return true;
    size_t wanted = room ? room * 2 : 64;
    struct branch *more = realloc(branches, wanted * sizeof *branches);
    if (more)
        branches = more;
    struct pollfd *polled = more ? realloc(watched, (wanted + 1) * sizeof *watched) : NULL;
    if (!polled)
        return false;
    watched = polled;
    room = wanted;
    return true;
}

static void report_began(const struct branch *branch)
{
    struct report report;
    begin_report(&report, 'B');
    add_u32(&report, branch->id);
    for (int fd = 0; fd < 3; fd++)
        add_u32(&report, (uint32_t)branch->forked.ends[fd]);
    send_report(&report);
}

bool await_branches(void)
{
    forget_done();
    struct pollfd core = {.fd = CORE_FD, .events = POLLIN};
    if (!make_room())
        fail(FAILED_SETUP, ENOMEM, "realloc");
    bool waits = kill_late(); /* it closes sockets */
    watched[0] = core;
    for (size_t index = 0; index < count; index++) {
        short events = branches[index].backlog.size > 0 ? POLLIN | POLLOUT : POLLIN;
        watched[index + 1] = (struct pollfd){.fd = branches[index].forked.socket, .events = events};
    }
    if (poll(watched, count + 1, waits ? 1000 : -1) < 0)
        return false;
    for (size_t index = 0; index < count; index++) {
        short came = watched[index + 1].revents;
        if (came & POLLOUT)
            flush(&branches[index].backlog, branches[index].forked.socket);
        if (came & (POLLIN | POLLHUP | POLLERR | POLLNVAL) && !hand_on(&branches[index]))
            bury(&branches[index]);
    }
    return watched[0].revents != 0;
}

/* A launcher that was killed is gone at once, although something of its sandbox may be stuck in the kernel.
 * True while there are others to end. */
static bool kill_late(void)
{
    bool waits = false;
    for (size_t index = 0; index < count; index++) {
        struct branch *branch = &branches[index];
        if (branch->deadline == 0 || branch->forked.socket < 0)
            continue;
        if (now() < branch->deadline) {
            waits = true;
            continue;
        }
        kill(branch->forked.pid, SIGKILL);
        bury(branch);
    }
    return waits;
}

/* Until core has opened its ends of the streams, their numbers may not be given to others. */
static void forget_done(void)
{
    for (size_t index = count; index-- > 0;)
        if (branches[index].forked.socket < 0 && branches[index].opened)
            branches[index] = branches[--count];
}

/* false when every process that had the socket is gone, the launcher as the last. */
static bool hand_on(const struct branch *branch)
{
    uint8_t bytes[4096];
    struct report report;
    ssize_t got = recv(branch->forked.socket, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got == 0)
        return false;
    begin_report(&report, 'U');
    add_u32(&report, branch->id);
    add_bytes(&report, bytes, (size_t)got);
    send_report(&report);
    return true;
}

static void bury(struct branch *branch)
{
    struct report report;
    int status = 0;
    while (waitpid(branch->forked.pid, &status, 0) < 0 && errno == EINTR)
        ;
    begin_report(&report, 'G');
    add_u32(&report, branch->id);
    add_u32(&report, (uint32_t)status);
    send_report(&report);
    clear(&branch->backlog);
    close(branch->forked.socket);
    branch->forked.socket = -1;
}

void write_to_branch(uint32_t id, const struct cursor *bytes)
{
    struct branch *branch = find(id);
    if (branch && branch->forked.socket >= 0 && !append(&branch->backlog, branch->forked.socket, bytes->at, bytes->left))
        end_branch(id);
}

/* Signals may still be on their way to one that is gone. */
static struct branch *find(uint32_t id)
{
    for (size_t index = 0; index < count; index++)
        if (branches[index].id == id)
            return &branches[index];
    return NULL;
}

void end_branch(uint32_t id)
{
    struct branch *branch = find(id);
    if (!branch || branch->forked.socket < 0)
        return;
    clear(&branch->backlog);
    shutdown(branch->forked.socket, SHUT_WR);
    branch->deadline = now() + PATIENCE_SECONDS;
}

static time_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

void let_go_of_streams(uint32_t id)
{
    struct branch *branch = find(id);
    if (branch)
        let_go(branch);
}

static void let_go(struct branch *branch)
{
    close_all(branch->forked.ends);
    memset(branch->forked.ends, 0xff, sizeof branch->forked.ends);
    branch->opened = true;
}
