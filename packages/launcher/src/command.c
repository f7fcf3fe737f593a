/* Parses commands, and the short frames. */
#include <string.h>
#include <sys/resource.h>

#include "protocol.h"

static uint32_t take_strings(struct cursor *cursor, struct cursor *strings, bool variables);
static const char *parse_limits(struct cursor *cursor, struct command *command);
static const char *parse_terminal(struct cursor *cursor, uint8_t mode, struct command *command);
static bool is_stream(uint8_t stream, int fd, uint8_t mode);

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
    request->initial_bytes = cursor;
    return !cursor.broken && request->id != 0 && request->namespaces <= ALL_NAMESPACES &&
           request->umask <= 0777;
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
