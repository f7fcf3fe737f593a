/* The devices that any program may expect, and no others. */
#ifndef SANDBOXLIB_DEV_H
#define SANDBOXLIB_DEV_H

void make_dev(int target);

/* The host's device of that name, detached, checked to be what its name says. Nothing can be changed
 * through it but what a write to the device does: to a caller who is root, the device itself belongs. */
int clone_device(const char *name);

/* Open, for who is to have no stream. Needs the host's /proc. */
int open_null_device(void);

#endif
