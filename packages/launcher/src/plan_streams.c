#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "run_plan.h"
#include "sys.h"

/* What is copied, from fd to fd; -1: nothing. No more is read before all of it is written. */
struct copy {
    int from, to;
    size_t start, end;
    uint8_t bytes[65536];
};

static bool is_handed_on(int fd, const struct stat *info);
static bool is_null(const struct stat *info);
static bool is_same(const struct stat *one, const struct stat *other);
static int make_copy(int stream);
static void read_some(struct copy *copy);
static void write_some(struct copy *copy);
static void end_copy(struct copy *copy, bool is_input);

static struct copy copies[RELAYS] = {{.from = -1, .to = -1}, {.from = -1, .to = -1}, {.from = -1, .to = -1}};

void open_planned_streams(uint8_t streams[3], int fds[3])
{
    static const char *const names[] = {"standard input", "standard output", "standard error"};
    struct stat info[3];
    for (int stream = 0; stream < 3; stream++) {
        fds[stream] = stream;
        streams[stream] = STREAM_OWN;
        if (fstat(stream, &info[stream]) != 0 || is_null(&info[stream]))
            streams[stream] = STREAM_NULL;
        else if (S_ISDIR(info[stream].st_mode))
            refuse(names[stream], "is a directory", 0);
        else if (is_handed_on(stream, &info[stream]))
            continue;
        else if (stream == 2 && streams[1] == STREAM_OWN && fds[1] != 1 && is_same(&info[1], &info[2]))
            fds[2] = fds[1]; /* in the order written */
        else
            fds[stream] = make_copy(stream);
    }
}

static bool is_handed_on(int fd, const struct stat *info)
{
    struct winsize size;
    return S_ISFIFO(info->st_mode) || S_ISSOCK(info->st_mode) ||
           (S_ISCHR(info->st_mode) && ioctl(fd, TIOCGWINSZ, &size) == 0);
}

static bool is_null(const struct stat *info)
{
    return S_ISCHR(info->st_mode) && info->st_rdev == makedev(1, 3);
}

static bool is_same(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/* Returns the program's end. */
static int make_copy(int stream)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        refuse("", "there is no pipe for a standard stream", errno);
    const bool is_input = stream == 0;
    copies[stream].from = is_input ? stream : ends[0];
    copies[stream].to = is_input ? ends[1] : stream;
    if (is_input && fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0)
        refuse("", "there is no pipe for a standard stream", errno);
    return is_input ? ends[0] : ends[1];
}

void close_planned_streams(int fds[3])
{
    for (int stream = 0; stream < 3; stream++)
        if (fds[stream] > 2 && (stream != 2 || fds[2] != fds[1]))
            close(fds[stream]);
}

void watch_planned_streams(struct pollfd watched[RELAYS])
{
    for (int stream = 0; stream < RELAYS; stream++) {
        const struct copy *copy = &copies[stream];
        const bool is_full = copy->start < copy->end;
        watched[stream] = (struct pollfd){
            .fd = copy->from < 0 ? -1 : is_full ? copy->to : copy->from,
            .events = is_full ? POLLOUT : POLLIN,
        };
    }
}

void copy_planned_streams(const struct pollfd watched[RELAYS])
{
    for (int stream = 0; stream < RELAYS; stream++) {
        struct copy *copy = &copies[stream];
        if (!watched[stream].revents || copy->from < 0)
            continue;
        if (copy->start == copy->end)
            read_some(copy);
        if (copy->start < copy->end)
            write_some(copy);
    }
}

static void read_some(struct copy *copy)
{
    ssize_t got = read(copy->from, copy->bytes, sizeof copy->bytes);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got < 0 && copy == copies)
        refuse("standard input", "cannot be read", errno);
    if (got <= 0) {
        end_copy(copy, copy == copies);
        return;
    }
    copy->start = 0;
    copy->end = (size_t)got;
}

static void write_some(struct copy *copy)
{
    ssize_t wrote = write(copy->to, copy->bytes + copy->start, copy->end - copy->start);
    if (wrote >= 0)
        copy->start += (size_t)wrote;
    else if (copy == copies && errno == EPIPE)
        end_copy(copy, true); /* the program reads no more */
    else if (errno != EINTR && errno != EAGAIN)
        refuse(copy == copies ? "standard input" : "standard output or error", "cannot be written", errno);
}

static void end_copy(struct copy *copy, bool is_input)
{
    close(is_input ? copy->to : copy->from);
    copy->from = -1;
    copy->start = copy->end = 0;
}

bool has_planned_output(void)
{
    if (copies[0].from >= 0)
        end_copy(&copies[0], true);
    return copies[1].from >= 0 || copies[2].from >= 0;
}
