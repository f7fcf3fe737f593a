/* A mount is made detached, restricted, and only then attached: nothing is ever visible with more
 * rights than it is to have. Every call here that fails ends the sandbox, with the field at work. */
#ifndef SANDBOXLIB_MOUNTING_H
#define SANDBOXLIB_MOUNTING_H

#include <stdbool.h>
#include <stdint.h>

struct option {
    const char *key; /* NULL: the last one */
    const char *value; /* NULL: a flag */
};

/* A new filesystem that lives in memory only, owned by the program. */
int new_filesystem(const char *type, const struct option *options, unsigned attributes);

/* A copy of a tree of mounts as it is now, submounts too. No symlink is followed. */
int clone_tree(int at, const char *path);

/* The same, for what may be gone: -1 and errno. */
int try_clone_tree(int at, const char *path);

/* Sets MOUNT_ATTR_ bits. The second on the submounts too, all at once or not at all. */
void restrict_mount(int mount, uint64_t attributes);
void restrict_tree(int mount, uint64_t attributes);

/* Opens a path that is plain and holds no symlink: inside `at` as its root; or, with AT_FDCWD, on
 * the host. -1 and errno when it does not. */
int open_plain(int at, const char *path, uint64_t flags);

/* On `path` in the directory `at`; with an empty path on `at` itself. */
void attach(int mount, int at, const char *path);
bool try_attach(int mount, int at, const char *path);

#endif
