#include "pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "handover.h"

/* Milliseconds: between looks at a terminal that nobody has open, and for core to take what is left. */
enum { LOOK_AGAIN = 50, PATIENCE = 5000 };

/* One way. No more is read before all of it is written. */
struct flow {
    int from, to;
    size_t start, end;
    uint8_t bytes[4096];
};

static void not_blocking(int fd);
static void read_some(struct flow *flow);
static void write_some(struct flow *flow);
static void end_input(void);
static bool is_empty(const struct flow *flow);
static bool is_ready(int fd, short events, int milliseconds);

static int master = -1;
static struct flow input = {.from = -1, .to = -1}, output = {.from = -1, .to = -1};
static bool is_line_begun;

bool take_terminal(int sandbox)
{
    struct handover handover;
    if (take_over(sandbox, &handover) == TAKEN_NOTHING)
        return false;
    if (handover.fds[2] < 0) {
        const struct winsize size = {.ws_col = (uint16_t)(handover.id >> 16), .ws_row = (uint16_t)handover.id};
        ioctl(master, TIOCSWINSZ, &size); /* the kernel tells the program */
        return true;
    }
    for (int fd = 0; fd < 3; fd++)
        not_blocking(handover.fds[fd]);
    master = handover.fds[2];
    input.from = handover.fds[0];
    output.to = handover.fds[1];
    input.to = output.from = master;
    return true;
}

/* On the wire: a handover of nothing. */
bool resize_terminal(int launcher, unsigned columns, unsigned rows)
{
    const struct handover size = {.id = columns << 16 | rows, .fds = {-1, -1, -1}};
    return hand_over(launcher, &size);
}

/* They are the launcher's alone: core's ends are others, and the program's process is past its exec. */
static void not_blocking(int fd)
{
    fcntl(fd, F_SETFL, (long)(fcntl(fd, F_GETFL, 0L) | O_NONBLOCK));
}

int watch_relay(struct pollfd watched[RELAYED])
{
    bool feeds = !is_empty(&input), drains = !is_empty(&output);
    short events = (short)((feeds ? POLLOUT : 0) | (drains ? 0 : POLLIN));
    watched[0] = (struct pollfd){.fd = feeds || output.from < 0 ? -1 : input.from, .events = POLLIN};
    watched[1] = (struct pollfd){.fd = events && output.from >= 0 ? master : -1, .events = events};
    watched[2] = (struct pollfd){.fd = drains ? output.to : -1, .events = POLLOUT};
    return master >= 0 && output.from < 0 ? LOOK_AGAIN : -1;
}

void relay(void)
{
    if (master < 0)
        return;
    output.from = master;
    if (is_empty(&output))
        read_some(&output);
    write_some(&output);
    bool is_open = !is_ready(master, 0, 0);
    if (!is_empty(&output) && !is_open)
        output.from = -1; /* which poll would say again and again */
    if (output.from < 0 || !is_open)
        return; /* what is typed now nobody would read, but it would be shown */
    if (is_empty(&input) && input.from >= 0) {
        read_some(&input);
        if (input.from < 0)
            end_input();
    }
    write_some(&input);
}

bool finish_relay(int sandbox)
{
    while (is_ready(sandbox, POLLIN, 0) && take_terminal(sandbox))
        ;
    while (master >= 0) {
        relay();
        if (is_empty(&output) ? output.from < 0 || !is_ready(master, POLLIN, 0)
                              : !is_ready(output.to, POLLOUT, PATIENCE))
            return true;
    }
    return false;
}

static bool is_ready(int fd, short events, int milliseconds)
{
    struct pollfd watched = {.fd = fd, .events = events};
    return poll(&watched, 1, milliseconds) > 0;
}

/* At the end, or when the terminal is open nowhere, there is nothing to read from any more. */
static void read_some(struct flow *flow)
{
    ssize_t got = read(flow->from, flow->bytes, sizeof flow->bytes);
    if (got > 0) {
        flow->start = 0;
        flow->end = (size_t)got;
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        flow->from = -1;
    }
    if (got > 0 && flow == &input)
        is_line_begun = flow->bytes[got - 1] != '\n';
}

/* What nobody takes any more is thrown away, or the program would wait for ever. */
static void write_some(struct flow *flow)
{
    if (is_empty(flow))
        return;
    ssize_t wrote = flow->to < 0 ? -1 : write(flow->to, flow->bytes + flow->start, flow->end - flow->start);
    if (wrote >= 0)
        flow->start += (size_t)wrote;
    else if (flow->to < 0 || (errno != EAGAIN && errno != EINTR))
        flow->start = flow->end;
}

/* As a user does it: behind the beginning of a line, the first ends that only. */
static void end_input(void)
{
    struct termios settings;
    if (ioctl(master, TCGETS, &settings) != 0)
        return;
    input.bytes[0] = input.bytes[1] = settings.c_cc[VEOF];
    input.start = 0;
    input.end = is_line_begun ? 2 : 1;
}

static bool is_empty(const struct flow *flow)
{
    return flow->start == flow->end;
}
