#include "protocol.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static ssize_t receive(void *buffer, size_t size);
static bool wait_for(short events);
static uint8_t *add(struct report *report, size_t size);
static uint64_t microseconds(struct timeval time);

static const char *field = "";
static bool waits_after_failure;

struct cursor cursor_over(const void *data, size_t size)
{
    return (struct cursor){.at = data, .left = size, .broken = false};
}

bool cursor_done(const struct cursor *cursor)
{
    return !cursor->broken && cursor->left == 0;
}

const uint8_t *take_bytes(struct cursor *cursor, size_t size)
{
    if (cursor->broken || cursor->left < size) {
        cursor->broken = true;
        return NULL;
    }
    const uint8_t *bytes = cursor->at;
    if (size > 0)
        cursor->at += size;
    cursor->left -= size;
    return bytes;
}

uint8_t take_u8(struct cursor *cursor)
{
    const uint8_t *bytes = take_bytes(cursor, 1);
    return bytes ? bytes[0] : 0;
}

uint32_t take_u32(struct cursor *cursor)
{
    const uint8_t *bytes = take_bytes(cursor, 4);
    if (!bytes)
        return 0;
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

uint64_t take_u64(struct cursor *cursor)
{
    uint64_t low = take_u32(cursor);
    uint64_t high = take_u32(cursor);
    return low | high << 32;
}

const char *take_string(struct cursor *cursor)
{
    uint32_t size = take_u32(cursor);
    const uint8_t *bytes = take_bytes(cursor, size);
    if (!bytes || size == 0 || memchr(bytes, 0, size) != bytes + size - 1) {
        cursor->broken = true;
        return NULL;
    }
    return (const char *)bytes;
}

bool next_is(const struct cursor *records, uint8_t tag)
{
    return !records->broken && records->left > 0 && records->at[0] == tag;
}

struct cursor take_record(struct cursor *records, uint8_t tag)
{
    uint8_t found = take_u8(records);
    uint32_t size = take_u32(records);
    const uint8_t *bytes = take_bytes(records, size);
    struct cursor body = cursor_over(bytes, bytes ? size : 0);
    body.broken = !bytes || found != tag;
    records->broken = body.broken;
    return body;
}

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

/* Returns less than `size` at the end of the stream only. */
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

/* The socket is non-blocking where whoever started the launcher has made it so. */
static bool wait_for(short events)
{
    struct pollfd core = {.fd = CORE_FD, .events = events};
    return poll(&core, 1, -1) >= 0 || errno == EINTR;
}

void free_frame(struct frame *frame)
{
    free(frame->memory);
    *frame = (struct frame){0};
}

void discard_input(void)
{
    uint8_t unread[4096];
    while (recv(CORE_FD, unread, sizeof unread, MSG_DONTWAIT) > 0)
        ;
}

void wait_for_hangup(void)
{
    uint8_t unread[4096];
    struct pollfd core = {.fd = CORE_FD, .events = POLLIN};
    while (poll(&core, 1, 1000) > 0 && recv(CORE_FD, unread, sizeof unread, 0) > 0)
        ;
}

void begin_report(struct report *report, uint8_t type)
{
    *report = (struct report){0};
    add_u32(report, 0); /* the length, which send_report fills in */
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

void send_report(struct report *report)
{
    size_t size = report->size;
    report->size = 0;
    add_u32(report, (uint32_t)(size - 4));
    for (size_t sent = 0; sent < size;) {
        ssize_t wrote = send(CORE_FD, report->data + sent, size - sent, MSG_NOSIGNAL);
        if (wrote >= 0)
            sent += (size_t)wrote;
        else if (errno == EAGAIN ? !wait_for(POLLOUT) : errno != EINTR)
            break; /* core is gone, so nobody would read it */
    }
    free(report->data);
    report->data = NULL;
}

void report_failed(uint32_t id, enum failure kind, int error, const char *what)
{
    struct report report;
    begin_report(&report, 'F');
    add_u32(&report, id);
    add_u8(&report, (uint8_t)kind);
    add_u32(&report, (uint32_t)error);
    add_string(&report, field);
    add_string(&report, what);
    send_report(&report);
}

void report_exited(uint32_t id, int status, const struct rusage *usage)
{
    const uint64_t numbers[] = {
        microseconds(usage->ru_utime),   microseconds(usage->ru_stime),
        (uint64_t)usage->ru_maxrss,      (uint64_t)usage->ru_minflt,
        (uint64_t)usage->ru_majflt,      (uint64_t)usage->ru_inblock,
        (uint64_t)usage->ru_oublock,     (uint64_t)usage->ru_nvcsw,
        (uint64_t)usage->ru_nivcsw,
    };
    struct report report;
    begin_report(&report, 'X');
    add_u32(&report, id);
    add_u32(&report, (uint32_t)status);
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++)
        add_u64(&report, numbers[index]);
    send_report(&report);
}

static uint64_t microseconds(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

void fail(enum failure kind, int error, const char *what)
{
    report_failed(0, kind, error, what);
    discard_input();
    if (waits_after_failure)
        wait_for_hangup();
    _exit(0);
}

void set_field(const char *name)
{
    field = name;
}

void wait_after_failure(bool waits)
{
    waits_after_failure = waits;
}
