/* The cgroup that core has made for the sandbox. */
#ifndef SANDBOXLIB_CGROUP_H
#define SANDBOXLIB_CGROUP_H

#include <sys/types.h>

#include "plan.h"

/* The launcher, which has to survive it and stays outside, puts pid 1 there. */
void put_into_cgroup(pid_t pid, const struct cgroup *cgroup);

/* Pid 1 goes there by itself: that spares the kernel a wait for all processors, 20 ms, but is possible in version 1
 * only. */
void enter_cgroup(const struct cgroup *cgroup);

#endif
