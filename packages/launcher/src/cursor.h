/* Reads values off bytes that nobody has checked. Once something does not fit, the cursor is broken,
 * every later value is zero or NULL, and nothing more is read. No system calls. */
#ifndef SANDBOXLIB_CURSOR_H
#define SANDBOXLIB_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
    const uint8_t *at;
    size_t left;
    bool broken;
};

struct cursor cursor_over(const void *data, size_t size);
bool cursor_done(const struct cursor *cursor);
const uint8_t *take_bytes(struct cursor *cursor, size_t size);
uint8_t take_u8(struct cursor *cursor);
uint32_t take_u32(struct cursor *cursor);
uint64_t take_u64(struct cursor *cursor);
/* A `str`: points into the data, ends in NUL, holds no other. */
const char *take_string(struct cursor *cursor);

#endif
