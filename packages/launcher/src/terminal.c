#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "fds.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

/* Milliseconds between checks of whether a terminal that no process has open is open again. */
enum { REOPEN_CHECK = 50 };

/* One direction of the relay. No more is read before all of it is written. */
struct flow {
    int from, to;
    size_t start, end;
    uint8_t bytes[4096];
};

static const char *open_pair(const struct command *command, int *master, int *slave);
static void make_nonblocking(int fd);
static void read_some(struct flow *flow);
static void write_some(struct flow *flow);
static void end_input(void);
static bool is_empty(const struct flow *flow);
static bool is_ready(int fd, short events, int milliseconds);

static int kept_devpts = -1;
static int relayed_master = -1;
static struct flow input = {.from = -1, .to = -1}, output = {.from = -1, .to = -1};
static bool is_within_line;

void keep_devpts(int devpts)
{
    if (kept_devpts < 0)
        kept_devpts = devpts;
    else
        close(devpts);
}

/* The launcher may receive the fds after the program has ended: fds in a socket's queue stay open. */
const char *open_terminal(int launcher, const struct command *command, const int streams[3], int *slave)
{
    int master;
    const char *failed = open_pair(command, &master, slave);
    if (failed)
        return failed;
    const struct fd_message message = {.id = command->id, .fds = {streams[0], streams[1], master}};
    if (!send_fds(launcher, &message))
        failed = "sendmsg";
    else if (ioctl(*slave, TIOCSCTTY, 0) != 0)
        failed = "ioctl(TIOCSCTTY)";
    int error = errno;
    close(master);
    errno = error;
    return failed;
}

/* Opens the slave by way of the master and not by its name, on which something may be mounted. */
static const char *open_pair(const struct command *command, int *master, int *slave)
{
    const struct winsize size = {.ws_col = command->columns, .ws_row = command->rows};
    int unlocked = 0;
    errno = ENXIO;
    *master = kept_devpts < 0 ? -1 : openat(kept_devpts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (*master < 0)
        return "open ptmx";
    if (ioctl(*master, TIOCSPTLCK, &unlocked) != 0)
        return "ioctl(TIOCSPTLCK)";
    if (ioctl(*master, TIOCSWINSZ, &size) != 0)
        return "ioctl(TIOCSWINSZ)";
    *slave = ioctl(*master, TIOCGPTPEER, (void *)(long)(O_RDWR | O_NOCTTY | O_CLOEXEC));
    return *slave < 0 ? "ioctl(TIOCGPTPEER)" : NULL;
}

/* The size goes in the place of the id, without fds. */
void resize_terminal(int launcher, unsigned columns, unsigned rows)
{
    const struct fd_message size = {.id = columns << 16 | rows, .fds = {-1, -1, -1}};
    send_fds(launcher, &size);
}

bool receive_terminal(int sandbox)
{
    struct fd_message message;
    if (receive_fds(sandbox, 0, &message) == RECEIVED_NOTHING)
        return false;
    if (message.fds[2] < 0) {
        const struct winsize size = {.ws_col = (uint16_t)(message.id >> 16), .ws_row = (uint16_t)message.id};
        ioctl(relayed_master, TIOCSWINSZ, &size); /* the kernel tells the program */
        return true;
    }
    for (int fd = 0; fd < 3; fd++)
        make_nonblocking(message.fds[fd]);
    relayed_master = message.fds[2];
    input.from = message.fds[0];
    output.to = message.fds[1];
    input.to = output.from = relayed_master;
    return true;
}

/* This affects the launcher only: core has the other ends, and the program has the slave. */
static void make_nonblocking(int fd)
{
    fcntl(fd, F_SETFL, (long)(fcntl(fd, F_GETFL, 0L) | O_NONBLOCK));
}

int watch_relay(struct pollfd watched[RELAYED])
{
    bool has_input = !is_empty(&input), has_output = !is_empty(&output);
    short events = (short)((has_input ? POLLOUT : 0) | (has_output ? 0 : POLLIN));
    watched[0] = (struct pollfd){.fd = has_input || output.from < 0 ? -1 : input.from, .events = POLLIN};
    watched[1] = (struct pollfd){.fd = events && output.from >= 0 ? relayed_master : -1, .events = events};
    watched[2] = (struct pollfd){.fd = has_output ? output.to : -1, .events = POLLOUT};
    return relayed_master >= 0 && output.from < 0 ? REOPEN_CHECK : -1;
}

void relay(void)
{
    if (relayed_master < 0)
        return;
    output.from = relayed_master;
    if (is_empty(&output))
        read_some(&output);
    write_some(&output);
    bool is_open = !is_ready(relayed_master, 0, 0);
    if (!is_empty(&output) && !is_open)
        output.from = -1; /* poll would report the hang-up again and again */
    if (output.from < 0 || !is_open)
        return; /* the terminal would echo input that nobody reads */
    if (is_empty(&input) && input.from >= 0) {
        read_some(&input);
        if (input.from < 0)
            end_input();
    }
    write_some(&input);
}

/* Waits as long as core takes to read what is left: when core is gone, the pipe has no reader, and takes nothing. Core sees
 * that this was all when the pipe is closed. */
void finish_relay(int sandbox)
{
    while (is_ready(sandbox, POLLIN, 0) && receive_terminal(sandbox))
        ;
    if (relayed_master < 0)
        return;
    for (;;) {
        relay();
        if (!is_empty(&output))
            is_ready(output.to, POLLOUT, -1);
        else if (output.from < 0 || !is_ready(relayed_master, POLLIN, 0))
            break;
    }
    close(output.to);
}

static bool is_ready(int fd, short events, int milliseconds)
{
    struct pollfd watched = {.fd = fd, .events = events};
    return poll(&watched, 1, milliseconds) > 0;
}

/* Stops reading at the end of the stream, and when no process has the terminal open. */
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
        is_within_line = flow->bytes[got - 1] != '\n';
}

/* Throws away what can no longer be written: otherwise the program would block for ever. */
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

/* Types the end-of-file character, twice after the beginning of a line, where the first one only ends the line. */
static void end_input(void)
{
    struct termios settings;
    if (ioctl(relayed_master, TCGETS, &settings) != 0)
        return;
    input.bytes[0] = input.bytes[1] = settings.c_cc[VEOF];
    input.start = 0;
    input.end = is_within_line ? 2 : 1;
}

static bool is_empty(const struct flow *flow)
{
    return flow->start == flow->end;
}
