/* The host's /dev, as another tool sees it that binds devices from there. */
#ifndef SANDBOXLIB_HOSTDEV_H
#define SANDBOXLIB_HOSTDEV_H

/* Executes a program, a path and its words, in a mount namespace of its own in which /dev is read-only. A bind of a device
 * is then read-only, too: it can be read and written, and its owner cannot change the mode that the host sees. */
_Noreturn void run_with_read_only_dev(char **words);

#endif
