#include "handover.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cursor.h"

enum { DATA_SIZE = 5 };

union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(3 * sizeof(int))];
};

static bool unpack(struct msghdr *message, uint8_t present, int fds[3]);

/* On the wire: the id, and a bit for each fd that is there. */
bool hand_over(int socket, const struct handover *handover)
{
    uint8_t data[DATA_SIZE] = {0};
    union control control = {0};
    struct iovec vector = {data, sizeof data};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    int fds[3];
    unsigned count = 0;
    for (int byte = 0; byte < 4; byte++)
        data[byte] = (uint8_t)(handover->id >> (8 * byte));
    for (int fd = 0; fd < 3; fd++) {
        if (handover->fds[fd] < 0)
            continue;
        data[4] = (uint8_t)(data[4] | 1U << fd);
        fds[count++] = handover->fds[fd];
    }
    if (count > 0) {
        message.msg_control = &control;
        message.msg_controllen = (unsigned)CMSG_SPACE(count * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = (unsigned)CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == DATA_SIZE;
}

enum taken take_over(int socket, struct handover *handover)
{
    uint8_t data[DATA_SIZE];
    union control control = {0};
    struct iovec vector = {data, sizeof data};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t got;
    do
        got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    struct cursor cursor = cursor_over(data, got > 0 ? (size_t)got : 0);
    handover->id = take_u32(&cursor);
    uint8_t present = take_u8(&cursor);
    bool whole = unpack(&message, present, handover->fds);
    if (cursor_done(&cursor) && whole)
        return TAKEN;
    close_all(handover->fds);
    memset(handover->fds, 0xff, sizeof handover->fds);
    return cursor_done(&cursor) && message.msg_flags & MSG_CTRUNC ? TAKEN_NOT_ALL : TAKEN_NOTHING;
}

/* Puts the fds that came to their places; false when there are not as many as there should be. */
static bool unpack(struct msghdr *message, uint8_t present, int fds[3])
{
    const struct cmsghdr *header = CMSG_FIRSTHDR(message);
    size_t count = 0, next = 0;
    int came[sizeof(union control) / sizeof(int)]; /* its room is rounded up, and takes a fourth */
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(came, CMSG_DATA(header), count * sizeof(int));
    }
    for (int fd = 0; fd < 3; fd++)
        fds[fd] = present >> fd & 1 && next < count ? came[next++] : -1;
    bool whole = next == (size_t)__builtin_popcount(present) && next == count;
    for (; next < count; next++)
        close(came[next]);
    return whole;
}

void close_all(const int fds[3])
{
    for (int fd = 0; fd < 3; fd++)
        if (fds[fd] >= 0)
            close(fds[fd]);
}
