/* A root that is not written to: what the program writes goes to a directory above it. */
#ifndef SANDBOXLIB_OVERLAY_H
#define SANDBOXLIB_OVERLAY_H

#include <stdbool.h>

#include "plan.h"

/* Whether the root is to be one. A set-up that only tries makes one here and lets go of it. */
bool has_overlay(const struct setup *setup);

/* One whose lower directory is open as `lower`. */
int make_overlay(int lower, const struct setup *setup);

#endif
