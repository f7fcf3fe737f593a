#include "fds.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol.h"

/* The bytes of a message: the id, and a bit for each fd that is there. */
enum { MESSAGE_SIZE = 5 };

union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(3 * sizeof(int))];
};

static bool unpack(struct msghdr *header, uint8_t present, int fds[3]);

bool send_fds(int socket, const struct fd_message *message)
{
    uint8_t data[MESSAGE_SIZE] = {0};
    union control control = {0};
    struct iovec vector = {data, sizeof data};
    struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};
    int fds[3];
    unsigned count = 0;
    for (int byte = 0; byte < 4; byte++)
        data[byte] = (uint8_t)(message->id >> (8 * byte));
    for (int fd = 0; fd < 3; fd++) {
        if (message->fds[fd] < 0)
            continue;
        data[4] = (uint8_t)(data[4] | 1U << fd);
        fds[count++] = message->fds[fd];
    }
    if (count > 0) {
        header.msg_control = &control;
        header.msg_controllen = (unsigned)CMSG_SPACE(count * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = (unsigned)CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &header, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == MESSAGE_SIZE;
}

enum received receive_fds(int socket, int flags, struct fd_message *message)
{
    uint8_t data[MESSAGE_SIZE];
    union control control = {0};
    struct iovec vector = {data, sizeof data};
    struct msghdr header = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t got;
    do
        got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | flags);
    while (got < 0 && errno == EINTR);
    struct cursor cursor = cursor_over(data, got > 0 ? (size_t)got : 0);
    message->id = take_u32(&cursor);
    uint8_t present = take_u8(&cursor);
    bool whole = unpack(&header, present, message->fds);
    if (cursor_done(&cursor) && whole)
        return RECEIVED;
    close_fds(message->fds);
    memset(message->fds, 0xff, sizeof message->fds);
    return cursor_done(&cursor) && header.msg_flags & MSG_CTRUNC ? RECEIVED_WITHOUT_FDS : RECEIVED_NOTHING;
}

/* Puts the fds that came to their places. False when they are more or fewer than the message says. */
static bool unpack(struct msghdr *header, uint8_t present, int fds[3])
{
    const struct cmsghdr *control = CMSG_FIRSTHDR(header);
    size_t count = 0, next = 0;
    int came[sizeof(union control) / sizeof(int)]; /* alignment makes room for a fourth fd */
    if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS) {
        count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(came, CMSG_DATA(control), count * sizeof(int));
    }
    for (int fd = 0; fd < 3; fd++)
        fds[fd] = present >> fd & 1 && next < count ? came[next++] : -1;
    bool whole = next == (size_t)__builtin_popcount(present) && next == count;
    for (; next < count; next++)
        close(came[next]);
    return whole;
}

void close_fds(const int fds[3])
{
    for (int fd = 0; fd < 3; fd++)
        if (fds[fd] >= 0)
            close(fds[fd]);
}

bool make_pipes(uint32_t id, const uint8_t streams[3], struct pipes *pipes)
{
    memset(pipes, 0xff, sizeof *pipes);
    pipes->core.id = id;
    for (int fd = 0; fd < 3; fd++) {
        int ends[2];
        if (streams[fd] != STREAM_PIPE && streams[fd] != STREAM_LARGE)
            continue;
        if (pipe2(ends, O_CLOEXEC) != 0) {
            int error = errno;
            close_fds(pipes->program);
            close_fds(pipes->core.fds);
            memset(pipes, 0xff, sizeof *pipes);
            errno = error;
            return false;
        }
        pipes->program[fd] = ends[fd == 0 ? 0 : 1];
        pipes->core.fds[fd] = ends[fd == 0 ? 1 : 0];
    }
    return true;
}

bool is_socket(int fd)
{
    int domain, type;
    socklen_t size = sizeof(int);
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}
