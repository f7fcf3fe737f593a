/* The root of the sandbox and what is mounted in it. */
#ifndef SANDBOXLIB_MOUNT_H
#define SANDBOXLIB_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol.h"

/* Mounts: mount.c. A mount is made detached, restricted, and only then attached, so that nothing is ever visible with
 * more rights than it is to have. Whatever fails here ends the sandbox, and reports the field that is being set up. */

/* A parameter of fsconfig(2). */
struct option {
    const char *key;   /* NULL: the end of the list */
    const char *value; /* NULL: a flag */
};

/* A new filesystem that the program owns. */
int new_filesystem(const char *type, const struct option *options, unsigned attributes);

/* A copy of a tree of mounts, submounts included. No symlink is followed. */
int clone_tree(int at, const char *path);
/* The same, for what may not be there: -1 and errno. */
int try_clone_tree(int at, const char *path);

/* Sets MOUNT_ATTR_ bits of a mount, or of a tree: on all of its mounts or on none. */
void restrict_mount(int mount, uint64_t attributes);
void restrict_tree(int mount, uint64_t attributes);

/* Mounts it on `path` in the directory `at`; with an empty path on `at` itself. */
void attach(int mount, int at, const char *path);
bool try_attach(int mount, int at, const char *path);

/* Opens a path without following symlinks: inside `at` as its root; or, with AT_FDCWD, on the host. -1 and errno when
 * there is no such path, or a symlink in it. */
int open_without_symlinks(int at, const char *path, uint64_t flags);

/* Allows mount points to be made in the filesystem of this mount, because it is the sandbox's own. They are made in no
 * other. */
void allow_mount_points_in(int mount);

/* Makes an empty directory or an empty file. */
void make_mount_point(int parent, const char *name, bool directory);

/* Opens the target of a mount inside the root, and makes it where it is missing and the plan says so. */
int open_target(int root, const struct mount *mount);

/* The root: root.c. */

/* Mounts the sandbox's root over the root of this process, in which the sources of mounts are still looked up. */
int mount_root(const struct setup *setup);

/* A copy of all of the old root, without the new one that is mounted on it. */
int clone_old_root(int source);

/* Makes `root` the root of this process, and unmounts the old one with all that is in it. */
void enter_root(int root);

/* The mounts of the set-up, in its order: mounts.c. */

/* Returns the root, which is another one afterwards where a mirror replaces it. */
int make_mounts(int root, const struct setup *setup);

/* Reads back what is mounted, while the process still has ids with which it can look everywhere. */
struct readback;
void check_mounts(struct readback *readback, int root, const struct setup *setup);

/* A mirror, mirror.c: a tmpfs over a directory that shows its entries and has room for more. It is mounted on `target`,
 * and the caller makes it read-only when everything is in it. */
int make_mirror(int target);

/* Devices: dev.c. */

/* A directory with the devices that any program may expect, and no others. */
void make_dev(int target);

/* A detached, read-only mount of the host's device of that name, which is checked to be that device. It can be written
 * to, but its mode, owner and times cannot be changed, although the device belongs to a caller who is root. */
int clone_device(const char *name);

/* Opens /dev/null through such a mount. Needs the host's /proc. */
int open_null_device(void);

/* Whether one of the fds 0 to 2 is a device. */
bool have_devices(void);

/* Opens such fds again through a read-only mount: whoever has a device open that belongs to it could change its mode,
 * owner and times. Needs a mount namespace of its own, the capability to mount, and the host's /proc. A device that has
 * no name here, as a terminal from outside a container, or that this user may not open, stays as it is. `null`: the null
 * device, opened like that, or -1. */
void protect_devices(int null);

/* Executes a program, a path and its words, in a mount namespace in which the host's /dev is read-only, for a tool that
 * binds devices from there. They can still be read and written. */
_Noreturn void run_with_read_only_dev(char **words);

/* Enters a mount namespace in which the host's /dev is read-only. Returns the call that failed, with errno, or NULL. */
const char *protect_dev(void);

#endif
