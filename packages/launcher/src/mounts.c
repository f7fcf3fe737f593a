#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "mount.h"
#include "sandbox.h"
#include "sys.h"

/* The kernel's mark that it has filled in the flags; not one of statvfs(3). */
enum { ST_VALID = 0x20 };

enum { MOST_READ_ONLY_LATER = 4096, FEWEST_FILES = 128 };

static int make_one(int root, const struct mount *mount, const struct cursor *later);
static int make_bind(const struct mount *mount, int target);
static int clone_source(const char *path);
static int make_tmpfs(uint64_t size);
static void make_proc(int target);
static void protect_settings(int proc);
static void make_mask(int target, const struct mount *mount, const struct cursor *later);
static bool is_target_below(const char *directory, struct cursor later);
static void make_read_only_later(int mount);
static uint64_t flags_of(const struct statfs *info);
static uint64_t wanted_flags(const struct mount *mount);

/* Mounts that become read-only when all the mount points in them have been made. */
static int read_only_later[MOST_READ_ONLY_LATER];
static int later_count;

int make_mounts(int root, const struct setup *setup)
{
    struct cursor mounts = setup->mounts;
    struct mount mount;
    while (next_mount(&mounts, &mount)) {
        set_field(mount.field);
        root = make_one(root, &mount, &mounts);
    }
    set_field("");
    for (int index = 0; index < later_count; index++) {
        restrict_mount(read_only_later[index], MOUNT_ATTR_RDONLY);
        if (read_only_later[index] != root)
            close(read_only_later[index]);
    }
    return root;
}

/* Returns the root. `later`: the mounts that are still to be made. */
static int make_one(int root, const struct mount *mount, const struct cursor *later)
{
    int target = open_target(root, mount);
    int made = -1;
    switch ((enum mount_type)mount->type) {
    case MOUNT_BIND:
        made = make_bind(mount, target);
        attach(made, target, "");
        break;
    case MOUNT_TMPFS:
        made = make_tmpfs(mount->size);
        allow_mount_points_in(made);
        attach(made, target, "");
        break;
    case MOUNT_PROC:
        make_proc(target);
        break;
    case MOUNT_DEV:
        make_dev(target);
        break;
    case MOUNT_MASK:
        make_mask(target, mount, later);
        break;
    case MOUNT_MIRROR:
        make_read_only_later(make_mirror(target));
        if (mount->target[1] == '\0') {
            close(root);
            root = read_only_later[later_count - 1];
        }
        break;
    }
    close(target);
    if (made >= 0)
        close(made);
    return root;
}

static int make_bind(const struct mount *mount, int target)
{
    struct stat info;
    uint64_t attributes = MOUNT_ATTR_NOSUID;
    attributes |= mount->flags & DEVICES ? 0 : MOUNT_ATTR_NODEV;
    attributes |= mount->flags & READ_ONLY ? MOUNT_ATTR_RDONLY : 0;
    int tree = *mount->source ? clone_source(mount->source) : clone_tree(target, "");
    if (fstat(tree, &info) != 0)
        fail(FAILED_PATH, errno, "fstat");
    /* A device can be written to through a read-only mount, but its mode, owner and times cannot be changed. */
    if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode))
        attributes |= MOUNT_ATTR_RDONLY;
    restrict_tree(tree, attributes);
    return tree;
}

static int clone_source(const char *path)
{
    int source = open_without_symlinks(AT_FDCWD, path, 0);
    if (source < 0)
        fail(FAILED_PATH, errno, "openat2 of the source");
    int tree = path[1] == '\0' ? clone_old_root(source) : clone_tree(source, "");
    close(source);
    return tree;
}

/* Limits the inodes as well, because an empty file counts as no bytes, but takes memory. */
static int make_tmpfs(uint64_t size)
{
    char bytes[NUMBER], inodes[NUMBER];
    const uint64_t files = size / 1024 + (size % 1024 > 0);
    const struct option options[] = {
        {"mode", "1777"},
        {size > 0 ? "size" : NULL, decimal(bytes, size)},
        {"nr_inodes", decimal(inodes, files < FEWEST_FILES ? FEWEST_FILES : files)},
        {NULL, NULL},
    };
    return new_filesystem("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

static void make_proc(int target)
{
    static const struct option none[] = {{NULL, NULL}};
    int proc = new_filesystem("proc", none,
                              MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    attach(proc, target, "");
    protect_settings(proc);
    close(proc);
}

/* Makes the files read-only with which the kernel is configured. They belong to the host's uid 0, so a program with
 * that id outside could write to them as their owner, without a capability and whatever its id is inside. */
static void protect_settings(int proc)
{
    static const char *const names[] = {"sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi"};
    struct stat info;
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        if (fstatat(proc, names[index], &info, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno == ENOENT)
                continue;
            fail(FAILED_SETUP, errno, "fstatat");
        }
        if (!is_program(info.st_uid))
            continue;
        int tree = clone_tree(proc, names[index]);
        restrict_tree(tree, MOUNT_ATTR_RDONLY);
        attach(tree, proc, names[index]);
        close(tree);
    }
}

/* A mask shows no file and no content, but later mounts may need mount points in it. */
static void make_mask(int target, const struct mount *mount, const struct cursor *later)
{
    static const struct option options[] = {{"mode", "0111"}, {NULL, NULL}};
    const uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    if (!(mount->flags & DIRECTORY)) {
        int null = clone_device("null");
        restrict_mount(null, MOUNT_ATTR_NODEV);
        attach(null, target, "");
        close(null);
        return;
    }
    bool open = is_target_below(mount->target, *later);
    int empty = new_filesystem("tmpfs", options,
                               (unsigned)(attributes | (open ? 0 : MOUNT_ATTR_RDONLY)));
    attach(empty, target, "");
    if (open) {
        allow_mount_points_in(empty);
        make_read_only_later(empty);
    } else {
        close(empty);
    }
}

static bool is_target_below(const char *directory, struct cursor later)
{
    struct mount mount;
    size_t length = strlen(directory);
    while (next_mount(&later, &mount))
        if (strncmp(mount.target, directory, length) == 0 && mount.target[length] == '/')
            return true;
    return false;
}

static void make_read_only_later(int mount)
{
    if (later_count == MOST_READ_ONLY_LATER)
        fail(FAILED_SETUP, EMFILE, "too many mirrors");
    read_only_later[later_count++] = mount;
}

void check_mounts(struct readback *readback, int root, const struct setup *setup)
{
    struct cursor mounts = setup->mounts;
    struct mount mount;
    struct statfs info;
    uint64_t wanted = ST_NOSUID | (setup->root_flags & READ_ONLY ? ST_RDONLY : 0);
    if (fstatfs(root, &info) != 0)
        fail(FAILED_READBACK, errno, "fstatfs");
    readback->root_flags = flags_of(&info);
    if ((readback->root_flags & wanted) != wanted)
        fail(FAILED_READBACK, 0, "the root has not the flags that were set");
    /* The kernel makes an overlay read-only when it cannot write to its directories. */
    if (setup->upper && *setup->upper && !(setup->root_flags & READ_ONLY) && readback->root_flags & ST_RDONLY)
        fail(FAILED_SETUP, EROFS, "the overlay cannot be written to");
    readback->mounts = (struct report){0};
    add_u32(&readback->mounts, setup->mount_count);
    while (next_mount(&mounts, &mount)) {
        set_field(mount.field);
        if (statfs(mount.target, &info) != 0)
            fail(FAILED_READBACK, errno, "statfs");
        uint64_t flags = flags_of(&info);
        if ((flags & wanted_flags(&mount)) != wanted_flags(&mount))
            fail(FAILED_READBACK, 0, "a mount has not the flags that were set");
        add_string(&readback->mounts, mount.field);
        add_u64(&readback->mounts, flags);
    }
    set_field("");
}

static uint64_t flags_of(const struct statfs *info)
{
    return (uint64_t)info->f_flags & ~(uint64_t)ST_VALID;
}

static uint64_t wanted_flags(const struct mount *mount)
{
    switch ((enum mount_type)mount->type) {
    case MOUNT_BIND:
        return ST_NOSUID | (mount->flags & DEVICES ? 0 : (uint64_t)ST_NODEV) |
               (mount->flags & READ_ONLY ? (uint64_t)ST_RDONLY : 0);
    case MOUNT_MASK:
    case MOUNT_MIRROR:
        return ST_NOSUID | ST_NODEV | ST_RDONLY;
    case MOUNT_PROC:
        return ST_NOSUID | ST_NODEV | ST_NOEXEC;
    case MOUNT_TMPFS:
    case MOUNT_DEV:
        break;
    }
    return ST_NOSUID | ST_NODEV;
}
