/* Which ids there are in a user namespace: user_namespaces(7). */
#ifndef SANDBOXLIB_IDMAPS_H
#define SANDBOXLIB_IDMAPS_H

#include <stdbool.h>
#include <sys/types.h>

#include "plan.h"

/* The launcher gives a new user namespace the ids of the plan; without any, the one id of the program:
 * the same number outside where the launcher may choose, so that what the program makes belongs to that
 * id, else its own. Whether the program has the ids of the launcher outside. */
bool map_ids(pid_t child, const struct setup *setup);

#endif
