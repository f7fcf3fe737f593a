#include <errno.h>
#include <stdlib.h>

#include "fds.h"
#include "protocol.h"

static struct fd_message *stored;
static size_t count, room;

bool store_fds(uint8_t type, const struct fd_message *ends)
{
    if (count == room) {
        size_t wanted = room ? room * 2 : 64;
        struct fd_message *more = realloc(stored, wanted * sizeof *stored);
        if (!more) {
            close_fds(ends->fds);
            errno = ENOMEM;
            return false;
        }
        stored = more;
        room = wanted;
    }
    stored[count++] = *ends;
    struct report report;
    begin_report(&report, type);
    add_u32(&report, ends->id);
    for (int fd = 0; fd < 3; fd++)
        add_u32(&report, (uint32_t)ends->fds[fd]);
    send_report(&report);
    return true;
}

void release_fds(uint32_t id)
{
    for (size_t index = count; index-- > 0;) {
        if (stored[index].id == id) {
            close_fds(stored[index].fds);
            stored[index] = stored[--count];
        }
    }
}
