/* A socket may take less than is to be sent, and nobody can wait for it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backlog.h"

static bool keep(struct backlog *backlog, const uint8_t *bytes, size_t size);
static size_t send_some(int socket, const uint8_t *bytes, size_t size);

bool send_or_keep(struct backlog *backlog, int socket, const uint8_t *bytes, size_t size)
{
    size_t sent = backlog->bytes ? 0 : send_some(socket, bytes, size);
    return sent == size || keep(backlog, bytes + sent, size - sent);
}

static bool keep(struct backlog *backlog, const uint8_t *bytes, size_t size)
{
    uint8_t *all = realloc(backlog->bytes, backlog->size + size);
    if (!all)
        return false;
    memcpy(all + backlog->size, bytes, size);
    backlog->bytes = all;
    backlog->size += size;
    return true;
}

void send_backlog(struct backlog *backlog, int socket)
{
    backlog->start += send_some(socket, backlog->bytes + backlog->start, backlog->size - backlog->start);
    if (backlog->start == backlog->size)
        drop_backlog(backlog);
}

/* Returns how much the socket takes. If nobody reads it any more, everything counts as sent. */
static size_t send_some(int socket, const uint8_t *bytes, size_t size)
{
    ssize_t sent;
    do
        sent = send(socket, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return errno == EAGAIN ? 0 : size;
    return (size_t)sent;
}

void drop_backlog(struct backlog *backlog)
{
    free(backlog->bytes);
    *backlog = (struct backlog){.bytes = NULL};
}
