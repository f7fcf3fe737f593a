/* The devices that any program may expect, and no others. */
#ifndef SANDBOXLIB_DEV_H
#define SANDBOXLIB_DEV_H

void make_dev(int target);

/* The host's device of that name, detached, checked to be what its name says. */
int clone_device(const char *name);

#endif
