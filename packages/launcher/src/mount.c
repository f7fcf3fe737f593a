#include "mount.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sandbox.h"
#include "sys.h"

enum { LOOKUPS = 1000 };

static void set_attributes(int mount, uint64_t attributes, unsigned flags);
static int make_path(int root, const struct mount *mount);
static int open_or_make(int parent, const char *name, bool directory);
static void check_is_own(int parent);

/* The filesystems in which mount points may be made. */
static dev_t *own_devices;
static size_t own_device_count;

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

void attach(int mount, int at, const char *path)
{
    if (!try_attach(mount, at, path))
        fail(FAILED_PATH, errno, "move_mount");
}

bool try_attach(int mount, int at, const char *path)
{
    unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (*path ? 0 : MOVE_MOUNT_T_EMPTY_PATH);
    return sys_move_mount(mount, "", at, path, flags) == 0;
}

int open_without_symlinks(int at, const char *path, uint64_t flags)
{
    const struct open_how how = {
        .flags = O_PATH | O_CLOEXEC | flags,
        .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
                   (at == AT_FDCWD ? 0 : (uint64_t)RESOLVE_IN_ROOT),
    };
    /* A rename or a mount anywhere on the machine during the lookup makes it fail with EAGAIN. */
    int fd = -1;
    for (int tries = 0; fd < 0 && tries < LOOKUPS; tries++) {
        fd = sys_openat2(at, path, &how);
        if (fd < 0 && errno != EAGAIN && errno != EINTR)
            break;
    }
    return fd;
}

void allow_mount_points_in(int mount)
{
    struct stat info;
    dev_t *longer = realloc(own_devices, (own_device_count + 1) * sizeof *own_devices);
    if (!longer)
        fail(FAILED_SETUP, ENOMEM, "realloc");
    own_devices = longer;
    if (fstat(mount, &info) != 0)
        fail(FAILED_SETUP, errno, "fstat");
    own_devices[own_device_count++] = info.st_dev;
}

void make_mount_point(int parent, const char *name, bool directory)
{
    as_program();
    if (directory && mkdirat(parent, name, 0755) != 0)
        fail(FAILED_PATH, errno, "mkdirat");
    if (!directory && mknodat(parent, name, S_IFREG | 0644, 0) != 0)
        fail(FAILED_PATH, errno, "mknodat");
    as_caller();
}

int open_target(int root, const struct mount *mount)
{
    const char *path = mount->target[1] == '\0' ? "." : mount->target + 1;
    struct stat info;
    int target = open_without_symlinks(root, path, 0);
    if (target < 0 && errno == ENOENT && mount->flags & CREATE)
        target = make_path(root, mount);
    if (target < 0 || fstat(target, &info) != 0)
        fail(FAILED_PATH, errno, "openat2 of the target");
    if (!S_ISDIR(info.st_mode) != !(mount->flags & DIRECTORY))
        fail(FAILED_PATH, S_ISDIR(info.st_mode) ? EISDIR : ENOTDIR, "the target");
    return target;
}

static int make_path(int root, const struct mount *mount)
{
    char path[4096];
    int parent = open_without_symlinks(root, ".", O_DIRECTORY);
    strcpy(path, mount->target);
    for (char *name = path + 1, *end; parent >= 0; name = end + 1) {
        end = name + strcspn(name, "/");
        bool last = *end == '\0';
        *end = '\0';
        int next = open_or_make(parent, name, !last || mount->flags & DIRECTORY);
        close(parent);
        parent = next;
        if (last)
            break;
    }
    return parent;
}

static int open_or_make(int parent, const char *name, bool directory)
{
    int next = open_without_symlinks(parent, name, 0);
    if (next >= 0 || errno != ENOENT)
        return next;
    check_is_own(parent);
    make_mount_point(parent, name, directory);
    return open_without_symlinks(parent, name, 0);
}

/* Otherwise a wrong plan would leave files in the user's directories. */
static void check_is_own(int parent)
{
    struct stat info;
    if (fstat(parent, &info) != 0)
        fail(FAILED_SETUP, errno, "fstat");
    for (size_t index = 0; index < own_device_count; index++)
        if (own_devices[index] == info.st_dev)
            return;
    fail(FAILED_PATH, ENOENT, "the target's directory is not the sandbox's own");
}
