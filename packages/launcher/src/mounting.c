#include "mounting.h"

#include <errno.h>

#include "ids.h"
#include "outcome.h"
#include "sys.h"

enum { TRIES = 1000 };

static void set_attributes(int mount, uint64_t attributes, unsigned flags);

int new_filesystem(const char *type, const struct option *options, unsigned attributes)
{
    as_program();
    int context = sys_fsopen(type, FSOPEN_CLOEXEC);
    if (context < 0)
        fail(FAILED_SETUP, errno, "fsopen");
    for (; options->key; options++) {
        unsigned command = options->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
        if (sys_fsconfig(context, command, options->key, options->value) != 0)
            fail(FAILED_SETUP, errno, "fsconfig");
    }
    if (sys_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL) != 0)
        fail(FAILED_SETUP, errno, "fsconfig(FSCONFIG_CMD_CREATE)");
    int mount = sys_fsmount(context, FSMOUNT_CLOEXEC, attributes);
    if (mount < 0)
        fail(FAILED_SETUP, errno, "fsmount");
    close(context);
    as_caller();
    return mount;
}

int try_clone_tree(int at, const char *path)
{
    const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW;
    return sys_open_tree(at, path, flags | (*path ? 0 : AT_EMPTY_PATH));
}

int clone_tree(int at, const char *path)
{
    int tree = try_clone_tree(at, path);
    if (tree < 0)
        fail(FAILED_PATH, errno, "open_tree");
    return tree;
}

void restrict_mount(int mount, uint64_t attributes)
{
    set_attributes(mount, attributes, AT_EMPTY_PATH);
}

void restrict_tree(int mount, uint64_t attributes)
{
    set_attributes(mount, attributes, AT_EMPTY_PATH | AT_RECURSIVE);
}

static void set_attributes(int mount, uint64_t attributes, unsigned flags)
{
    const struct mount_attr attr = {.attr_set = attributes, .propagation = MS_PRIVATE};
    if (sys_mount_setattr(mount, "", flags, &attr) != 0)
        fail(FAILED_SETUP, errno, "mount_setattr");
}

int open_plain(int at, const char *path, uint64_t flags)
{
    const struct open_how how = {
        .flags = O_PATH | O_CLOEXEC | flags,
        .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
                   (at == AT_FDCWD ? 0 : (uint64_t)RESOLVE_IN_ROOT),
    };
    /* A rename or mount anywhere on the machine makes a lookup give up rather than go wrong. */
    int fd = -1;
    for (int tries = 0; fd < 0 && tries < TRIES; tries++) {
        fd = sys_openat2(at, path, &how);
        if (fd < 0 && errno != EAGAIN && errno != EINTR)
            break;
    }
    return fd;
}

bool try_attach(int mount, int at, const char *path)
{
    unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (*path ? 0 : MOVE_MOUNT_T_EMPTY_PATH);
    return sys_move_mount(mount, "", at, path, flags) == 0;
}

void attach(int mount, int at, const char *path)
{
    if (!try_attach(mount, at, path))
        fail(FAILED_PATH, errno, "move_mount");
}
