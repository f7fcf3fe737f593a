/* Where a mount goes: looked up inside the root, and made where the root lacks it. */
#ifndef SANDBOXLIB_TARGET_H
#define SANDBOXLIB_TARGET_H

#include <stdbool.h>

#include "plan.h"

/* The filesystem of this mount is the sandbox's own: targets may be made in it, and in no other. */
void allow_targets_in(int mount);

int open_target(int root, const struct mount *mount);

/* An empty directory, or an empty file, to be mounted on. */
void make_target(int parent, const char *name, bool directory);

#endif
