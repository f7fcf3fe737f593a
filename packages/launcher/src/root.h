/* The root of the sandbox. */
#ifndef SANDBOXLIB_ROOT_H
#define SANDBOXLIB_ROOT_H

#include "plan.h"

/* Puts it over the root that this process has, which stays the one where sources are looked up. */
int cover_root(const struct setup *setup);

/* A copy of all of the old root, but for the new one that lies on it. */
int clone_old_root(int source);

/* Makes it the root, and lets go of the one below: nothing of the host is left but what is in it. */
void enter_root(int root);

#endif
