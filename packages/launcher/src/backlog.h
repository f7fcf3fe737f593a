/* What a socket did not take yet. */
#ifndef SANDBOXLIB_BACKLOG_H
#define SANDBOXLIB_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct backlog {
    uint8_t *data;
    size_t size, sent;
};

/* Sends what the socket takes, and keeps the rest; false when there is no memory for it. */
bool append(struct backlog *backlog, int socket, const uint8_t *bytes, size_t size);

/* Sends more of it. */
void flush(struct backlog *backlog, int socket);

void clear(struct backlog *backlog);

#endif
