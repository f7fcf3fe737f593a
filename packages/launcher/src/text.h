/* Small files of /proc, and numbers as text. */
#ifndef SANDBOXLIB_TEXT_H
#define SANDBOXLIB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Puts the texts, up to a NULL, one after the other into `buffer`. */
void join(char *buffer, size_t size, const char *const *texts);

/* Decimal digits, in `buffer`, which holds 11 bytes. */
const char *decimal(char *buffer, uint32_t number);

/* false, and errno, when it does not take all of it in one write. */
bool write_file(const char *path, const char *text);

/* The first `size` - 1 bytes, then NUL. */
bool read_file(const char *path, char *buffer, size_t size);

#endif
