#include "mounts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "dev.h"
#include "mirror.h"
#include "mounting.h"
#include "outcome.h"
#include "proc.h"
#include "root.h"
#include "sys.h"
#include "target.h"

enum { MOST_SEALS = 4096, DIGITS = 24, FEWEST_FILES = 128 };

static int make_one(int root, const struct mount *mount, const struct cursor *later);
static int make_bind(const struct mount *mount, int target);
static int clone_source(const char *path);
static int make_tmpfs(uint64_t size);
static const char *write_number(char digits[DIGITS], uint64_t number);
static void make_hidden(int target, const struct mount *mount, const struct cursor *later);
static bool is_target_below(const char *directory, struct cursor later);
static void seal_later(int mount);

/* Mounts that become read-only when all the mount points in them are made. */
static int seals[MOST_SEALS];
static int seal_count;

int make_mounts(int root, const struct setup *setup)
{
    struct cursor mounts = setup->mounts;
    struct mount mount;
    while (next_mount(&mounts, &mount)) {
        at_field(mount.field);
        root = make_one(root, &mount, &mounts);
    }
    at_field("");
    for (int index = 0; index < seal_count; index++) {
        restrict_mount(seals[index], MOUNT_ATTR_RDONLY);
        if (seals[index] != root)
            close(seals[index]);
    }
    return root;
}

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
        allow_targets_in(made);
        attach(made, target, "");
        break;
    case MOUNT_PROC:
        make_proc(target);
        break;
    case MOUNT_DEV:
        make_dev(target);
        break;
    case MOUNT_HIDE:
        make_hidden(target, mount, later);
        break;
    case MOUNT_MIRROR:
        seal_later(make_mirror(target));
        if (mount->target[1] == '\0') {
            close(root);
            root = seals[seal_count - 1];
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
    /* It can be written to all the same: what is read-only is its mode, owner and times. */
    if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode))
        attributes |= MOUNT_ATTR_RDONLY;
    restrict_tree(tree, attributes);
    return tree;
}

static int clone_source(const char *path)
{
    int source = open_plain(AT_FDCWD, path, 0);
    if (source < 0)
        fail(FAILED_PATH, errno, "openat2 of the source");
    int tree = path[1] == '\0' ? clone_old_root(source) : clone_tree(source, "");
    close(source);
    return tree;
}

/* An empty file takes no space, but memory all the same. */
static int make_tmpfs(uint64_t size)
{
    char bytes[DIGITS], inodes[DIGITS];
    const uint64_t files = size / 1024 + (size % 1024 > 0);
    const struct option options[] = {
        {"mode", "1777"},
        {size > 0 ? "size" : NULL, write_number(bytes, size)},
        {"nr_inodes", write_number(inodes, files < FEWEST_FILES ? FEWEST_FILES : files)},
        {NULL, NULL},
    };
    return new_filesystem("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

static const char *write_number(char digits[DIGITS], uint64_t number)
{
    char *at = digits + DIGITS - 1;
    *at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return at;
}

static void make_hidden(int target, const struct mount *mount, const struct cursor *later)
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
        allow_targets_in(empty);
        seal_later(empty);
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

static void seal_later(int mount)
{
    if (seal_count == MOST_SEALS)
        fail(FAILED_SETUP, EMFILE, "too many mirrors");
    seals[seal_count++] = mount;
}
