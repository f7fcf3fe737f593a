#include "cursor.h"

#include <string.h>

struct cursor cursor_over(const void *data, size_t size)
{
    return (struct cursor){.at = data, .left = size, .broken = false};
}

/* All of it was read, and nothing was missing. */
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
