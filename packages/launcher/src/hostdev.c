#include "hostdev.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"
#include "text.h"

static bool make_read_only(const char **what);

void run_with_read_only_dev(char **words)
{
    char number[11], text[128];
    const char *what = "unshare";
    if (unshare(CLONE_NEWNS) == 0 && make_read_only(&what)) {
        what = "execve";
        execve(words[0], words, environ);
    }
    const char *const parts[] = {what, ": errno ", decimal(number, (uint32_t)errno), "\n", NULL};
    join(text, sizeof text, parts);
    if (write(2, text, strlen(text)) < 0)
        _exit(1);
    _exit(1);
}

/* What is mounted below, such as /dev/shm, stays as it is. Where /dev is no mount of its own, it becomes one. */
static bool make_read_only(const char **what)
{
    const struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
    *what = "mount_setattr";
    if (sys_mount_setattr(AT_FDCWD, "/dev", 0, &read_only) == 0)
        return true;
    if (errno != EINVAL || sys_make_all_private() != 0)
        return false;
    *what = "open_tree";
    int tree = sys_open_tree(AT_FDCWD, "/dev", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (tree < 0 || sys_mount_setattr(tree, "", AT_EMPTY_PATH, &read_only) != 0)
        return false;
    *what = "move_mount";
    return sys_move_mount(tree, "", AT_FDCWD, "/dev", MOVE_MOUNT_F_EMPTY_PATH) == 0;
}
