/* Core's ends of the pipes of a session's commands. Pid 1 makes the pipes, but lets nobody look at
 * it; so the launcher holds the ends, and core opens them there. */
#ifndef SANDBOXLIB_PARKING_H
#define SANDBOXLIB_PARKING_H

#include <stdbool.h>
#include <stdint.h>

#include "handover.h"

/* In pid 1. `parked` waits until the launcher holds them and has told core where. */
bool park(int launcher, const struct handover *ends);
bool parked(int launcher);
void unpark(int launcher, uint32_t id);

/* In the launcher: what pid 1 sent. false when pid 1 is gone. */
bool serve_parking(int sandbox);

#endif
