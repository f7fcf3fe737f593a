/* Bytes that a socket has not taken yet: backlog.c. */
#ifndef SANDBOXLIB_BACKLOG_H
#define SANDBOXLIB_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct backlog {
    uint8_t *bytes; /* NULL: none */
    size_t size, start;
};

/* Sends what the socket takes and keeps the rest, behind what is kept already. False when there is no memory for it. */
bool send_or_keep(struct backlog *backlog, int socket, const uint8_t *bytes, size_t size);

/* Sends what the socket takes by now of what is kept. */
void send_backlog(struct backlog *backlog, int socket);

void drop_backlog(struct backlog *backlog);

#endif
