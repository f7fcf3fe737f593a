#include "brought.h"

#include <stddef.h>

enum { MOST_BROUGHT = 1024 };

static struct handover *find(uint32_t id);

/* A free place has the id 0. */
static struct handover brought[MOST_BROUGHT];

void keep_brought(const struct handover *streams)
{
    struct handover *place = find(0);
    if (streams->id != 0 && place && !find(streams->id))
        *place = *streams;
    else
        close_all(streams->fds);
}

static struct handover *find(uint32_t id)
{
    for (int index = 0; index < MOST_BROUGHT; index++)
        if (brought[index].id == id)
            return &brought[index];
    return NULL;
}

bool take_brought(uint32_t id, struct handover *streams)
{
    struct handover *place = find(id);
    if (!place)
        return false;
    *streams = *place;
    place->id = 0;
    return true;
}
