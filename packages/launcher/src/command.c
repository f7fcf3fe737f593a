/* Parses commands, and the short frames. */
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "protocol.h"

static uint32_t take_strings(struct cursor *cursor, struct cursor *strings, bool variables);
static const char *parse_limits(struct cursor *cursor, struct command *command);
static const char *parse_terminal(struct cursor *cursor, uint8_t mode, struct command *command);
static bool is_stream(uint8_t stream, int fd, uint8_t mode);
static bool parse_tool_fds(struct cursor *cursor, struct tool_request *request);

const char *parse_command(const uint8_t *data, size_t size, uint8_t mode, struct command *command)
{
    *command = (struct command){.alone = mode == MODE_RUN};
    struct cursor cursor = cursor_over(data, size);
    command->id = take_u32(&cursor);
    for (int fd = 0; fd < 3; fd++)
        command->streams[fd] = take_u8(&cursor);
    command->cwd = take_string(&cursor);
    command->argument_count = take_strings(&cursor, &command->arguments, false);
    command->variable_count = take_strings(&cursor, &command->variables, true);
    const char *wrong = parse_limits(&cursor, command);
    if (!wrong)
        wrong = parse_terminal(&cursor, mode, command);
    if (wrong)
        return wrong;
    if (!cursor_done(&cursor))
        return "a command is broken";
    if (command->id == 0)
        return "a command has the id 0";
    for (int fd = 0; fd < 3; fd++)
        if (!is_stream(command->streams[fd], fd, mode))
            return "a command has a stream that cannot be";
    if (command->cwd[0] != '/')
        return "a command has a relative working directory";
    if (command->argument_count == 0)
        return "a command has no words";
    return NULL;
}

/* Reads a count and as many strings; `strings` is where they start. */
static uint32_t take_strings(struct cursor *cursor, struct cursor *strings, bool variables)
{
    uint32_t count = take_u32(cursor);
    *strings = *cursor;
    for (uint32_t index = 0; index < count && !cursor->broken; index++) {
        const char *text = take_string(cursor);
        if (variables && text && (text[0] == '=' || !strchr(text, '=')))
            cursor->broken = true;
    }
    return count;
}

/* They come in the order of their numbers, each once. */
static const char *parse_limits(struct cursor *cursor, struct command *command)
{
    static const uint8_t known[MOST_LIMITS] = {RLIMIT_CPU,  RLIMIT_FSIZE,  RLIMIT_STACK,
                                               RLIMIT_CORE, RLIMIT_NOFILE, RLIMIT_AS};
    int next = 0;
    while (next_is(cursor, 'L')) {
        struct cursor body = take_record(cursor, 'L');
        struct limit limit = {.resource = take_u8(&body)};
        limit.soft = take_u64(&body);
        limit.hard = take_u64(&body);
        while (next < MOST_LIMITS && known[next] != limit.resource)
            next++;
        if (!cursor_done(&body) || next++ == MOST_LIMITS || limit.soft > limit.hard)
            return "a limit is broken";
        command->limits[command->limit_count++] = limit;
    }
    return NULL;
}

static const char *parse_terminal(struct cursor *cursor, uint8_t mode, struct command *command)
{
    if (!next_is(cursor, 'T'))
        return NULL;
    struct cursor body = take_record(cursor, 'T');
    uint32_t columns = take_u32(&body);
    uint32_t rows = take_u32(&body);
    if (!cursor_done(&body) || columns > UINT16_MAX || rows > UINT16_MAX)
        return "a terminal is broken";
    if (mode != MODE_RUN)
        return "a session has no terminals";
    command->terminal = true;
    command->columns = (uint16_t)columns;
    command->rows = (uint16_t)rows;
    return NULL;
}

static bool is_stream(uint8_t stream, int fd, uint8_t mode)
{
    switch (stream) {
    case STREAM_OWN:
    case STREAM_NULL:
        return true;
    case STREAM_OUTPUT:
        return fd == 2;
    case STREAM_LARGE:
        return fd == 1;
    case STREAM_PIPE:
    case STREAM_SENT:
        return mode == MODE_SESSION;
    default:
        return false;
    }
}

void list_strings(struct cursor strings, uint32_t count, char **array)
{
    for (uint32_t index = 0; index < count; index++)
        array[index] = (char *)(uintptr_t)take_string(&strings);
    array[count] = NULL;
}

bool parse_launch_request(const uint8_t *data, size_t size, struct launch_request *request)
{
    struct cursor cursor = cursor_over(data, size);
    request->id = take_u32(&cursor);
    request->namespaces = take_u32(&cursor);
    request->umask = take_u32(&cursor);
    for (int fd = 0; fd < 3; fd++) {
        request->streams[fd] = take_u8(&cursor);
        if (request->streams[fd] != STREAM_NULL && request->streams[fd] != STREAM_PIPE)
            return false;
    }
    const uint8_t waits = take_u8(&cursor);
    request->waits = waits == 1;
    request->initial_bytes = cursor;
    return !cursor.broken && request->id != 0 && are_namespaces(request->namespaces) &&
           request->umask <= 0777 && waits <= 1;
}

bool parse_tool_request(const uint8_t *data, size_t size, struct tool_request *request)
{
    struct cursor cursor = cursor_over(data, size);
    request->id = take_u32(&cursor);
    request->umask = take_u32(&cursor);
    request->open_files = take_u64(&cursor);
    for (int fd = 0; fd < 3; fd++) {
        request->streams[fd] = take_u8(&cursor);
        if (request->streams[fd] != STREAM_NULL && request->streams[fd] != STREAM_PIPE &&
            (fd != STDERR_FILENO || request->streams[fd] != STREAM_OUTPUT))
            return false;
    }
    const uint8_t read_only_dev = take_u8(&cursor);
    request->read_only_dev = read_only_dev == 1;
    request->argument_count = take_strings(&cursor, &request->arguments, false);
    request->variable_count = take_strings(&cursor, &request->variables, true);
    return parse_tool_fds(&cursor, request) && cursor_done(&cursor) && request->id != 0 &&
           request->umask <= 0777 && read_only_dev <= 1 && request->argument_count > 0;
}

static bool parse_tool_fds(struct cursor *cursor, struct tool_request *request)
{
    unsigned pipes = 0;
    uint64_t taken = 7; /* a bit for each number; the standard streams are no such fds */
    request->fd_count = take_u32(cursor);
    if (cursor->broken || request->fd_count > MOST_TOOL_FDS)
        return false;
    for (uint32_t index = 0; index < request->fd_count; index++) {
        struct tool_fd *fd = &request->fds[index];
        const uint32_t number = take_u32(cursor);
        const uint8_t kind = take_u8(cursor);
        const uint32_t size = take_u32(cursor);
        const uint8_t *bytes = take_bytes(cursor, size);
        if (!bytes || number >= TOOL_FD_END || taken >> number & 1 || kind < TOOL_FD_FROM_CORE ||
            kind > TOOL_FD_DATA || (kind != TOOL_FD_DATA && (size > 0 || ++pipes > 3)))
            return false;
        taken |= (uint64_t)1 << number;
        *fd = (struct tool_fd){(int)number, (enum tool_fd_kind)kind, cursor_over(bytes, size)};
    }
    return true;
}

bool parse_data(const uint8_t *data, size_t size, uint32_t *id, struct cursor *bytes)
{
    *bytes = cursor_over(data, size);
    *id = take_u32(bytes);
    return !bytes->broken && *id != 0;
}

bool parse_signal(const uint8_t *data, size_t size, uint32_t *id, uint32_t *number)
{
    struct cursor cursor = cursor_over(data, size);
    *id = take_u32(&cursor);
    *number = take_u32(&cursor);
    return cursor_done(&cursor) && *number >= 1 && *number <= 64;
}

bool parse_window_size(const uint8_t *data, size_t size, uint32_t *id, uint32_t *columns, uint32_t *rows)
{
    struct cursor cursor = cursor_over(data, size);
    *id = take_u32(&cursor);
    *columns = take_u32(&cursor);
    *rows = take_u32(&cursor);
    return cursor_done(&cursor) && *columns <= UINT16_MAX && *rows <= UINT16_MAX;
}

bool parse_id(const uint8_t *data, size_t size, uint32_t *id)
{
    struct cursor cursor = cursor_over(data, size);
    *id = take_u32(&cursor);
    return cursor_done(&cursor);
}
