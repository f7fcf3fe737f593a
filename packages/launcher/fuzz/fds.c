/* Fuzzes the messages that fds are sent with. The first byte of the input is how many fds go with the other bytes. */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "fds.h"
#include "protocol.h"

enum { MOST_FDS = 7 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void send_bytes(int socket, const uint8_t *data, size_t size, unsigned count);
static void check_message(const struct fd_message *message, const uint8_t *data, unsigned count);
static int lowest_free(void);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int ends[2], free_before = lowest_free();
    if (size < 2)
        return 0;
    unsigned count = data[0] % (MOST_FDS + 1);
    expect(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
    send_bytes(ends[1], data + 1, size - 1, count);
    struct fd_message message;
    if (receive_fds(ends[0], 0, &message) == RECEIVED) {
        expect(size - 1 >= 5);
        check_message(&message, data + 1, count);
    }
    close_fds(message.fds);
    expect(close(ends[0]) == 0 && close(ends[1]) == 0);
    expect(lowest_free() == free_before);
    return 0;
}

static void send_bytes(int socket, const uint8_t *data, size_t size, unsigned count)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(MOST_FDS * sizeof(int))];
    } control = {0};
    struct iovec vector = {(void *)(uintptr_t)data, size};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    const int fds[MOST_FDS] = {0};
    if (count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
    }
    expect(sendmsg(socket, &message, 0) == (ssize_t)size);
}

/* The last byte names the places of the fds that came. */
static void check_message(const struct fd_message *message, const uint8_t *data, unsigned count)
{
    struct cursor cursor = cursor_over(data, 5);
    expect(message->id == take_u32(&cursor));
    unsigned present = take_u8(&cursor);
    expect(present < 8 && count == (unsigned)__builtin_popcount(present));
    for (int fd = 0; fd < 3; fd++)
        expect((message->fds[fd] >= 0) == (present >> fd & 1));
}

/* The lowest free fd, which is another one when something was left open. */
static int lowest_free(void)
{
    int fd = dup(STDIN_FILENO);
    expect(fd >= 0 && close(fd) == 0);
    return fd;
}
