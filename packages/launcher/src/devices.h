/* Standard streams that lead to a device of the host. */
#ifndef SANDBOXLIB_DEVICES_H
#define SANDBOXLIB_DEVICES_H

#include <stdbool.h>

bool have_devices(void);

/* Opens those of the fds 0 to 2 once more, through a read-only mount: who has a file open may change the
 * mode, owner and times of a device that is its own, unless the way to it is read-only. It has to be
 * called in a mount namespace of one's own, with the power to mount, and needs the host's /proc.
 * A device that cannot be found by its name, as in a container with a terminal from outside, or that
 * this user may not open, stays as it is. */
void protect_devices(void);

#endif
