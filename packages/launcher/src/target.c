#include "target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ids.h"
#include "mounting.h"
#include "outcome.h"
#include "sys.h"

static int make_path(int root, const struct mount *mount);
static int step(int parent, const char *name, bool directory);
static void check_own(int parent);

static dev_t *own;
static size_t own_count;

void allow_targets_in(int mount)
{
    struct stat info;
    dev_t *longer = realloc(own, (own_count + 1) * sizeof *own);
    if (!longer)
        fail(FAILED_SETUP, ENOMEM, "realloc");
    own = longer;
    if (fstat(mount, &info) != 0)
        fail(FAILED_SETUP, errno, "fstat");
    own[own_count++] = info.st_dev;
}

int open_target(int root, const struct mount *mount)
{
    const char *path = mount->target[1] == '\0' ? "." : mount->target + 1;
    struct stat info;
    int target = open_plain(root, path, 0);
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
    int parent = open_plain(root, ".", O_DIRECTORY);
    strcpy(path, mount->target);
    for (char *name = path + 1, *end; parent >= 0; name = end + 1) {
        end = name + strcspn(name, "/");
        bool last = *end == '\0';
        *end = '\0';
        int next = step(parent, name, !last || mount->flags & DIRECTORY);
        close(parent);
        parent = next;
        if (last)
            break;
    }
    return parent;
}

static int step(int parent, const char *name, bool directory)
{
    int next = open_plain(parent, name, 0);
    if (next >= 0 || errno != ENOENT)
        return next;
    check_own(parent);
    make_target(parent, name, directory);
    return open_plain(parent, name, 0);
}

/* Else a wrong plan would leave files in the user's tree. */
static void check_own(int parent)
{
    struct stat info;
    if (fstat(parent, &info) != 0)
        fail(FAILED_SETUP, errno, "fstat");
    for (size_t index = 0; index < own_count; index++)
        if (own[index] == info.st_dev)
            return;
    fail(FAILED_PATH, ENOENT, "the target's directory is not the sandbox's own");
}

void make_target(int parent, const char *name, bool directory)
{
    as_program();
    if (directory && mkdirat(parent, name, 0755) != 0)
        fail(FAILED_PATH, errno, "mkdirat");
    if (!directory && mknodat(parent, name, S_IFREG | 0644, 0) != 0)
        fail(FAILED_PATH, errno, "mknodat");
    as_caller();
}
