#include "backlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static size_t send_some(int socket, const uint8_t *bytes, size_t size);

bool append(struct backlog *backlog, int socket, const uint8_t *bytes, size_t size)
{
    size_t sent = backlog->data ? 0 : send_some(socket, bytes, size);
    if (sent == size)
        return true;
    uint8_t *data = realloc(backlog->data, backlog->size + size - sent);
    if (!data)
        return false;
    memcpy(data + backlog->size, bytes + sent, size - sent);
    backlog->data = data;
    backlog->size += size - sent;
    return true;
}

/* Nobody reads what is sent to a launcher that is gone. */
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

void flush(struct backlog *backlog, int socket)
{
    backlog->sent += send_some(socket, backlog->data + backlog->sent, backlog->size - backlog->sent);
    if (backlog->sent == backlog->size)
        clear(backlog);
}

void clear(struct backlog *backlog)
{
    free(backlog->data);
    *backlog = (struct backlog){0};
}
