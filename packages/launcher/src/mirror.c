#include "mirror.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "ids.h"
#include "mounting.h"
#include "outcome.h"
#include "sys.h"
#include "target.h"

static int make_tmpfs_like(int directory);
static unsigned permissions(const struct stat *info, int shift);
static bool is_gone(int error);
static void show(int covered, const char *name, int mirror);
static void copy_symlink(int covered, const char *name, int mirror);

int make_mirror(int target)
{
    /* An fd of its own to read from; it stays below the mirror when that covers it. */
    int covered = openat(target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = covered < 0 ? NULL : fdopendir(covered);
    if (!entries)
        fail(FAILED_PATH, errno, "open");
    int mirror = make_tmpfs_like(covered);
    allow_targets_in(mirror);
    attach(mirror, target, "");
    errno = 0;
    for (struct dirent *entry; (entry = readdir(entries)); errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            show(covered, entry->d_name, mirror);
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

/* The mirror belongs to the program, which must not be able to do more with it than with what it covers:
 * the permissions of the owner (6) or the group (3) are those of the class that the program is in there. */
static unsigned permissions(const struct stat *info, int shift)
{
    if (looks_like_others())
        return info->st_mode >> 6 & info->st_mode >> 3 & info->st_mode & 7;
    if (shift == 6 && !is_program(info->st_uid))
        shift = 3;
    if (shift == 3 && !is_program_group(info->st_gid))
        shift = 0;
    return info->st_mode >> shift & 7;
}

static void show(int covered, const char *name, int mirror)
{
    struct stat info;
    if (fstatat(covered, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        if (is_gone(errno))
            return;
        fail(FAILED_PATH, errno, "fstatat");
    }
    if (S_ISLNK(info.st_mode)) {
        copy_symlink(covered, name, mirror);
        return;
    }
    int tree = try_clone_tree(covered, name);
    if (tree < 0 && is_gone(errno))
        return;
    if (tree < 0)
        fail(FAILED_PATH, errno, "open_tree");
    make_target(mirror, name, S_ISDIR(info.st_mode));
    if (!try_attach(tree, mirror, name)) {
        if (!is_gone(errno))
            fail(FAILED_PATH, errno, "move_mount");
        unlinkat(mirror, name, S_ISDIR(info.st_mode) ? AT_REMOVEDIR : 0);
    }
    close(tree);
}

/* Since it was listed, or it is of another kind by now: others may work in the directory. */
static bool is_gone(int error)
{
    return error == ENOENT || error == ENOTDIR || error == EINVAL || error == ESTALE;
}

static void copy_symlink(int covered, const char *name, int mirror)
{
    char text[PATH_MAX];
    ssize_t size = readlinkat(covered, name, text, sizeof text - 1);
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
