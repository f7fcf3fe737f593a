#include "root.h"

#include <errno.h>
#include <stdbool.h>
#include <linux/stat.h>

#include "mounting.h"
#include "outcome.h"
#include "overlay.h"
#include "sys.h"

static uint64_t mount_id(int at, const char *path);
static void set_bindable(bool bindable);

/* What lies on the old root, until it is the root. */
static int cover;

int cover_root(const struct setup *setup)
{
    uint64_t read_only = setup->root_flags & READ_ONLY ? MOUNT_ATTR_RDONLY : 0;
    if (sys_make_all_private() != 0)
        fail(FAILED_SETUP, errno, "mount(MS_PRIVATE)");
    at_field("root");
    int source = open_plain(AT_FDCWD, setup->root, O_DIRECTORY);
    if (source < 0)
        fail(FAILED_PATH, errno, "openat2");
    int root = has_overlay(setup) ? make_overlay(source, setup) : clone_tree(source, "");
    close(source);
    restrict_tree(root, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | read_only);
    attach(root, AT_FDCWD, "/");
    at_field("");
    cover = fcntl(root, F_DUPFD_CLOEXEC, 0);
    if (cover < 0)
        fail(FAILED_SETUP, errno, "fcntl");
    return root;
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
    if (sys_mount_setattr(cover, "", AT_EMPTY_PATH, &attr) != 0)
        fail(FAILED_SETUP, errno, "mount_setattr");
}

void enter_root(int root)
{
    uint64_t wanted = mount_id(root, "");
    close(cover);
    if (fchdir(root) != 0)
        fail(FAILED_SETUP, errno, "fchdir");
    if (syscall(SYS_pivot_root, ".", ".") != 0)
        fail(FAILED_SETUP, errno, "pivot_root");
    /* The old root now lies on the new one, and a root that a mirror replaced on top of both. `..` of
     * the root is the topmost. */
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
