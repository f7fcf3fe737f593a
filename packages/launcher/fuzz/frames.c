/* Fuzzes the reading of frames, and the parsing of short ones. The bytes come over a socket, as from core. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void connect_core(const uint8_t *data, size_t size);
static size_t check_frame(const struct frame *frame, const uint8_t *data, size_t left);
static void check_short(const struct frame *frame);
static void check_launch_request(const struct frame *frame);
static bool is_broken(const uint8_t *data, size_t left);

/* Takes the number of core's socket, before the fuzzer opens files of its own. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    expect(dup2(STDIN_FILENO, CORE_FD) == CORE_FD);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    connect_core(data, size);
    struct frame frame;
    enum frame_read got;
    size_t at = 0;
    while ((got = read_frame(&frame)) == FRAME_READ) {
        at += check_frame(&frame, data + at, size - at);
        free_frame(&frame);
    }
    free_frame(&frame);
    expect(got == FRAME_END ? at == size : is_broken(data + at, size - at));
    return 0;
}

static void connect_core(const uint8_t *data, size_t size)
{
    int ends[2];
    expect(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    expect(write(ends[1], data, size) == (ssize_t)size);
    expect(close(ends[1]) == 0 && dup2(ends[0], CORE_FD) == CORE_FD && close(ends[0]) == 0);
}

/* Returns the size of the frame and of its length. */
static size_t check_frame(const struct frame *frame, const uint8_t *data, size_t left)
{
    expect(frame->size < LARGEST_FRAME && left >= 5 + frame->size);
    struct cursor cursor = cursor_over(data, left);
    expect(take_u32(&cursor) == frame->size + 1 && take_u8(&cursor) == frame->type);
    expect(memcmp(frame->payload, cursor.at, frame->size) == 0);
    check_short(frame);
    return 5 + frame->size;
}

static void check_short(const struct frame *frame)
{
    uint32_t id, number;
    struct cursor cursor = cursor_over(frame->payload, frame->size);
    if (frame->type == 'K' && parse_signal(frame->payload, frame->size, &id, &number))
        expect(frame->size == 8 && id == take_u32(&cursor) && number == take_u32(&cursor) &&
               number >= 1 && number <= 64);
    uint32_t columns, rows;
    if (frame->type == 'W' && parse_window_size(frame->payload, frame->size, &id, &columns, &rows))
        expect(frame->size == 12 && id == take_u32(&cursor) && columns == take_u32(&cursor) &&
               rows == take_u32(&cursor) && columns <= UINT16_MAX && rows <= UINT16_MAX);
    if (frame->type == 'O' && parse_id(frame->payload, frame->size, &id))
        expect(frame->size == 4 && id == take_u32(&cursor));
    if (frame->type == 'D' && parse_data(frame->payload, frame->size, &id, &cursor))
        expect(id != 0 && cursor.left + 4 == frame->size && cursor.at == frame->payload + 4);
    if (frame->type == 'L')
        check_launch_request(frame);
}

static void check_launch_request(const struct frame *frame)
{
    struct launch_request request;
    struct cursor cursor = cursor_over(frame->payload, frame->size);
    if (!parse_launch_request(frame->payload, frame->size, &request))
        return;
    expect(take_u32(&cursor) == request.id && request.id != 0);
    expect(take_u32(&cursor) == request.namespaces && are_namespaces(request.namespaces));
    expect(take_u32(&cursor) == request.umask && request.umask < 01000);
    for (int fd = 0; fd < 3; fd++) {
        uint8_t stream = take_u8(&cursor);
        expect(stream == request.streams[fd] && (stream == STREAM_NULL || stream == STREAM_PIPE));
    }
    uint8_t waits = take_u8(&cursor);
    expect(waits == (request.waits ? 1 : 0));
    expect(!cursor.broken && cursor.at == request.initial_bytes.at && cursor.left == request.initial_bytes.left);
}

static bool is_broken(const uint8_t *data, size_t left)
{
    struct cursor cursor = cursor_over(data, left);
    uint32_t length = take_u32(&cursor);
    return cursor.broken || length == 0 || length > LARGEST_FRAME || length > cursor.left;
}
