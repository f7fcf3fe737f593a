#include <errno.h>
#include <linux/stat.h>

#include "mount.h"
#include "sys.h"

/* Two paths of fds with a colon between them. */
enum { LONGEST_LAYER = 2 * FD_PATH };

static bool has_overlay(const struct setup *setup);
static void try_overlay(void);
static int make_overlay(int lower, const struct setup *setup);
static int open_layer(const char *path);
static void name_layer(char name[LONGEST_LAYER], int layer, int below);
static void set_bindable(bool bindable);
static uint64_t mount_id(int at, const char *path);

/* The new root, while it is mounted on the old one. */
static int new_root;

int mount_root(const struct setup *setup)
{
    uint64_t read_only = setup->root_flags & READ_ONLY ? MOUNT_ATTR_RDONLY : 0;
    if (sys_make_all_private() != 0)
        fail(FAILED_SETUP, errno, "mount(MS_PRIVATE)");
    set_field("root");
    int source = open_without_symlinks(AT_FDCWD, setup->root, O_DIRECTORY);
    if (source < 0)
        fail(FAILED_PATH, errno, "openat2");
    int root = has_overlay(setup) ? make_overlay(source, setup) : clone_tree(source, "");
    close(source);
    restrict_tree(root, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | read_only);
    attach(root, AT_FDCWD, "/");
    set_field("");
    new_root = fcntl(root, F_DUPFD_CLOEXEC, 0);
    if (new_root < 0)
        fail(FAILED_SETUP, errno, "fcntl");
    return root;
}

/* Whether the root is to be an overlay. A set-up that only tries one makes it here, and closes it. */
static bool has_overlay(const struct setup *setup)
{
    if (!setup->upper)
        return false;
    if (setup->upper[0] != '\0')
        return true;
    try_overlay();
    return false;
}

/* Takes two directories that every host has, as an overlay without an upper directory has to have two lower ones. */
static void try_overlay(void)
{
    char lower[LONGEST_LAYER];
    const struct option options[] = {{"lowerdir", lower}, {"userxattr", NULL}, {NULL, NULL}};
    int usr = open_layer("/usr"), etc = open_layer("/etc");
    name_layer(lower, usr, etc);
    close(new_filesystem("overlay", options, 0));
    close(usr);
    close(etc);
}

/* An overlay whose lower directory is open as `lower`. */
static int make_overlay(int lower, const struct setup *setup)
{
    char names[3][LONGEST_LAYER];
    /* The kernel lets no user namespace set the `trusted.` attributes that an overlay uses by default. With userxattr
     * it uses `user.` ones: for everybody, so that a directory means the same to root and to others. */
    const struct option options[] = {{"lowerdir", names[0]}, {"upperdir", names[1]},
                                     {"workdir", names[2]}, {"userxattr", NULL}, {NULL, NULL}};
    set_field("overlay.upper");
    int upper = open_layer(setup->upper);
    set_field("overlay.work");
    int work = open_layer(setup->work);
    set_field("overlay");
    name_layer(names[0], lower, -1);
    name_layer(names[1], upper, -1);
    name_layer(names[2], work, -1);
    int root = new_filesystem("overlay", options, 0);
    close(upper);
    close(work);
    return root;
}

static int open_layer(const char *path)
{
    int layer = open_without_symlinks(AT_FDCWD, path, O_DIRECTORY);
    if (layer < 0)
        fail(FAILED_PATH, errno, "openat2");
    return layer;
}

/* Names a layer by its fd, because the kernel splits a path at colons and commas, and follows symlinks in it. `below`:
 * a second layer, or -1. */
static void name_layer(char name[LONGEST_LAYER], int layer, int below)
{
    char paths[2][FD_PATH];
    const char *parts[] = {fd_path(paths[0], layer), below < 0 ? NULL : ":",
                           below < 0 ? NULL : fd_path(paths[1], below), NULL};
    join(name, LONGEST_LAYER, parts);
}

int clone_old_root(int source)
{
    set_bindable(false);
    int tree = clone_tree(source, "");
    set_bindable(true);
    return tree;
}

static void set_bindable(bool bindable)
{
    const struct mount_attr attr = {.propagation = bindable ? MS_PRIVATE : MS_UNBINDABLE};
    if (sys_mount_setattr(new_root, "", AT_EMPTY_PATH, &attr) != 0)
        fail(FAILED_SETUP, errno, "mount_setattr");
}

void enter_root(int root)
{
    uint64_t wanted = mount_id(root, "");
    close(new_root);
    if (fchdir(root) != 0)
        fail(FAILED_SETUP, errno, "fchdir");
    if (syscall(SYS_pivot_root, ".", ".") != 0)
        fail(FAILED_SETUP, errno, "pivot_root");
    /* The old root is now mounted on the new one, and on top of both a root that a mirror has replaced. `..` of the
     * root is the topmost of them. */
    while (mount_id(AT_FDCWD, "/..") != wanted)
        if (sys_umount_lazily(".") != 0)
            fail(FAILED_SETUP, errno, "umount2");
    if (chdir("/") != 0)
        fail(FAILED_SETUP, errno, "chdir");
    if (mount_id(AT_FDCWD, "/") != wanted || mount_id(AT_FDCWD, ".") != wanted)
        fail(FAILED_READBACK, 0, "the root is not the one that was made");
}

static uint64_t mount_id(int at, const char *path)
{
    struct statx info;
    if (syscall(SYS_statx, at, path, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &info) != 0)
        fail(FAILED_READBACK, errno, "statx");
    if (!(info.stx_mask & STATX_MNT_ID))
        fail(FAILED_READBACK, 0, "the kernel does not tell mounts apart");
    return info.stx_mnt_id;
}
