/* Streams that the courier brought for a command that core has not sent yet. */
#ifndef SANDBOXLIB_BROUGHT_H
#define SANDBOXLIB_BROUGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "handover.h"

/* Closes them when there is no place, or others for that id. */
void keep_brought(const struct handover *streams);

/* Gives those for `id` away; false when there are none. */
bool take_brought(uint32_t id, struct handover *streams);

#endif
