#include "plan.h"

#include <string.h>

static uint32_t take_strings(struct cursor *cursor, struct cursor *strings, bool variables);
static bool is_stream(uint8_t stream, int fd, uint8_t mode);

const char *parse_command(const uint8_t *data, size_t size, uint8_t mode, struct command *command)
{
    *command = (struct command){0};
    struct cursor cursor = cursor_over(data, size);
    command->id = take_u32(&cursor);
    for (int fd = 0; fd < 3; fd++)
        command->streams[fd] = take_u8(&cursor);
    command->cwd = take_string(&cursor);
    command->argument_count = take_strings(&cursor, &command->arguments, false);
    command->variable_count = take_strings(&cursor, &command->variables, true);
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

bool wants_courier(const struct command *command)
{
    for (int fd = 0; fd < 3; fd++)
        if (command->streams[fd] == STREAM_COURIER)
            return true;
    return false;
}

bool parse_signal(const uint8_t *data, size_t size, uint32_t *id, uint32_t *number)
{
    struct cursor cursor = cursor_over(data, size);
    *id = take_u32(&cursor);
    *number = take_u32(&cursor);
    return cursor_done(&cursor) && *number >= 1 && *number <= 64;
}

bool parse_opened(const uint8_t *data, size_t size, uint32_t *id)
{
    struct cursor cursor = cursor_over(data, size);
    *id = take_u32(&cursor);
    return cursor_done(&cursor);
}

void list_strings(struct cursor strings, uint32_t count, char **array)
{
    for (uint32_t index = 0; index < count; index++)
        array[index] = (char *)(uintptr_t)take_string(&strings);
    array[count] = NULL;
}

/* A count and as many strings; `strings` is where they start. */
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

static bool is_stream(uint8_t stream, int fd, uint8_t mode)
{
    switch (stream) {
    case STREAM_OWN:
    case STREAM_NULL:
        return true;
    case STREAM_OUTPUT:
        return fd == 2;
    case STREAM_PIPE:
    case STREAM_COURIER:
        return mode == MODE_SESSION;
    default:
        return false;
    }
}
