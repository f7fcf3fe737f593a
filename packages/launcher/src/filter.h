/* The filter of system calls that every program of the sandbox has. */
#ifndef SANDBOXLIB_FILTER_H
#define SANDBOXLIB_FILTER_H

#include "plan.h"

/* For this process and all that it starts, for good. Needs no_new_privs. */
void load_filter(const struct setup *setup);

#endif
