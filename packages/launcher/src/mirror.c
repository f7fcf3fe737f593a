#include "mirror.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "ids.h"
#include "mounting.h"
#include "outcome.h"
#include "sys.h"
#include "target.h"

static int make_tmpfs_like(int directory);
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
    for (int digit = 0; digit < 4; digit++)
        mode[digit] = (char)('0' + (info.st_mode >> (9 - 3 * digit) & 7));
    return new_filesystem("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

static void show(int covered, const char *name, int mirror)
{
    struct stat info;
    if (fstatat(covered, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT)
            return; /* gone since it was listed */
        fail(FAILED_PATH, errno, "fstatat");
    }
    if (S_ISLNK(info.st_mode)) {
        copy_symlink(covered, name, mirror);
        return;
    }
    int tree = clone_tree(covered, name);
    make_target(mirror, name, S_ISDIR(info.st_mode));
    attach(tree, mirror, name);
    close(tree);
}

static void copy_symlink(int covered, const char *name, int mirror)
{
    char text[PATH_MAX];
    ssize_t size = readlinkat(covered, name, text, sizeof text - 1);
    if (size < 0)
        fail(FAILED_PATH, errno, "readlinkat");
    text[size] = '\0';
    as_program();
    if (symlinkat(text, mirror, name) != 0)
        fail(FAILED_PATH, errno, "symlinkat");
    as_caller();
}
