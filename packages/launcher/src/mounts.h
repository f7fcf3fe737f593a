/* The mounts of the plan, one after the other. */
#ifndef SANDBOXLIB_MOUNTS_H
#define SANDBOXLIB_MOUNTS_H

#include "plan.h"

/* Gives the root, which may be another one afterwards: a mirror can replace it. */
int make_mounts(int root, const struct setup *setup);

#endif
