#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "mount.h"
#include "sandbox.h"
#include "sys.h"

static int make_tmpfs_like(int directory);
static unsigned permissions(const struct stat *info, int shift);
static void show_entry(int original, const char *name, int mirror);
static bool is_gone(int error);
static void copy_symlink(int original, const char *name, int mirror);

int make_mirror(int target)
{
    /* A new fd, to read from. It still leads to the original when the mirror is mounted on that. */
    int original = openat(target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = original < 0 ? NULL : fdopendir(original);
    if (!entries)
        fail(FAILED_PATH, errno, "open");
    int mirror = make_tmpfs_like(original);
    allow_mount_points_in(mirror);
    attach(mirror, target, "");
    errno = 0;
    for (struct dirent *entry; (entry = readdir(entries)); errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            show_entry(original, entry->d_name, mirror);
    if (errno != 0)
        fail(FAILED_PATH, errno, "getdents64");
    closedir(entries);
    return mirror;
}

static int make_tmpfs_like(int directory)
{
    char mode[] = "0000";
    const struct option options[] = {{"mode", mode}, {NULL, NULL}};
    struct stat info;
    if (fstat(directory, &info) != 0)
        fail(FAILED_PATH, errno, "fstat");
    mode[1] = (char)('0' + permissions(&info, 6));
    mode[2] = (char)('0' + permissions(&info, 3));
    mode[3] = (char)('0' + (info.st_mode & 7));
    return new_filesystem("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/* The permissions of the owner (6) or the group (3) of the mirror, which belongs to the program. They are those that
 * the program has in the original, as its owner, by its group or as others, so that the mirror allows it no more. */
static unsigned permissions(const struct stat *info, int shift)
{
    if (has_overflow_id())
        return info->st_mode >> 6 & info->st_mode >> 3 & info->st_mode & 7;
    if (shift == 6 && !is_program(info->st_uid))
        shift = 3;
    if (shift == 3 && !is_program_group(info->st_gid))
        shift = 0;
    return info->st_mode >> shift & 7;
}

static void show_entry(int original, const char *name, int mirror)
{
    struct stat info;
    if (fstatat(original, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        if (is_gone(errno))
            return;
        fail(FAILED_PATH, errno, "fstatat");
    }
    if (S_ISLNK(info.st_mode)) {
        copy_symlink(original, name, mirror);
        return;
    }
    int tree = try_clone_tree(original, name);
    if (tree < 0 && is_gone(errno))
        return;
    if (tree < 0)
        fail(FAILED_PATH, errno, "open_tree");
    make_mount_point(mirror, name, S_ISDIR(info.st_mode));
    if (!try_attach(tree, mirror, name)) {
        if (!is_gone(errno))
            fail(FAILED_PATH, errno, "move_mount");
        unlinkat(mirror, name, S_ISDIR(info.st_mode) ? AT_REMOVEDIR : 0);
    }
    close(tree);
}

/* Whether an entry was removed or replaced after it was listed: the directory may be in use. */
static bool is_gone(int error)
{
    return error == ENOENT || error == ENOTDIR || error == EINVAL || error == ESTALE;
}

static void copy_symlink(int original, const char *name, int mirror)
{
    char text[PATH_MAX];
    ssize_t size = readlinkat(original, name, text, sizeof text - 1);
    if (size < 0 && is_gone(errno))
        return;
    if (size < 0)
        fail(FAILED_PATH, errno, "readlinkat");
    text[size] = '\0';
    as_program();
    if (symlinkat(text, mirror, name) != 0)
        fail(FAILED_PATH, errno, "symlinkat");
    as_caller();
}
