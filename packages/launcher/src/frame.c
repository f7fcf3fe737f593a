#include "frame.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cursor.h"

static ssize_t receive(void *buffer, size_t size);
static bool wait_for(short events);
static uint8_t *add(struct report *report, size_t size);

enum frame_read read_frame(struct frame *frame)
{
    return read_frame_at(frame, NULL);
}

enum frame_read read_frame_at(struct frame *frame, uint8_t *memory)
{
    uint8_t head[4];
    *frame = (struct frame){0};
    ssize_t got = receive(head, sizeof head);
    if (got == 0)
        return FRAME_END;
    struct cursor cursor = cursor_over(head, sizeof head);
    uint32_t length = take_u32(&cursor);
    if (got != sizeof head || length == 0 || length > LARGEST_FRAME)
        return FRAME_BROKEN;
    frame->memory = memory ? memory : malloc(length);
    if (!frame->memory || receive(frame->memory, length) != (ssize_t)length)
        return FRAME_BROKEN;
    frame->type = frame->memory[0];
    frame->payload = frame->memory + 1;
    frame->size = length - 1;
    return FRAME_READ;
}

void wait_for_end(void)
{
    char bytes[4096];
    struct pollfd core = {.fd = CORE_FD, .events = POLLIN};
    while (poll(&core, 1, 1000) > 0 && recv(CORE_FD, bytes, sizeof bytes, 0) > 0)
        ;
}

/* Less than `size` at the end of the stream only. */
static ssize_t receive(void *buffer, size_t size)
{
    size_t have = 0;
    while (have < size) {
        ssize_t got = recv(CORE_FD, (uint8_t *)buffer + have, size - have, MSG_WAITALL);
        if (got > 0)
            have += (size_t)got;
        else if (got == 0)
            break;
        else if (errno == EAGAIN ? !wait_for(POLLIN) : errno != EINTR)
            return -1;
    }
    return (ssize_t)have;
}

/* The other end may have made the socket non-blocking. */
static bool wait_for(short events)
{
    struct pollfd core = {.fd = CORE_FD, .events = events};
    return poll(&core, 1, -1) >= 0 || errno == EINTR;
}

void drain_frames(void)
{
    uint8_t unread[4096];
    while (recv(CORE_FD, unread, sizeof unread, MSG_DONTWAIT) > 0)
        ;
}

void free_frame(struct frame *frame)
{
    free(frame->memory);
    *frame = (struct frame){0};
}

void begin_report(struct report *report, uint8_t type)
{
    *report = (struct report){0};
    add_u32(report, 0);
    add_u8(report, type);
}

void add_u8(struct report *report, uint8_t value)
{
    *add(report, 1) = value;
}

void add_u32(struct report *report, uint32_t value)
{
    uint8_t *at = add(report, 4);
    for (int byte = 0; byte < 4; byte++)
        at[byte] = (uint8_t)(value >> (8 * byte));
}

void add_u64(struct report *report, uint64_t value)
{
    add_u32(report, (uint32_t)value);
    add_u32(report, (uint32_t)(value >> 32));
}

void add_string(struct report *report, const char *text)
{
    size_t size = strlen(text) + 1;
    add_u32(report, (uint32_t)size);
    add_bytes(report, text, size);
}

void add_bytes(struct report *report, const void *bytes, size_t size)
{
    memcpy(add(report, size), bytes, size);
}

void send_report(struct report *report)
{
    size_t size = report->size;
    uint32_t length = (uint32_t)(size - 4);
    report->size = 0;
    add_u32(report, length);
    for (size_t sent = 0; sent < size;) {
        ssize_t wrote = send(CORE_FD, report->data + sent, size - sent, MSG_NOSIGNAL);
        if (wrote >= 0)
            sent += (size_t)wrote;
        else if (errno == EAGAIN ? !wait_for(POLLOUT) : errno != EINTR)
            break; /* core is gone, and with it whoever would read this */
    }
    free(report->data);
    report->data = NULL;
}

static uint8_t *add(struct report *report, size_t size)
{
    size_t needed = report->size + size;
    if (needed > report->room) {
        size_t room = needed < 128 ? 256 : needed * 2;
        uint8_t *data = realloc(report->data, room);
        if (!data)
            _exit(1);
        report->data = data;
        report->room = room;
    }
    uint8_t *at = report->data + report->size;
    report->size = needed;
    return at;
}
