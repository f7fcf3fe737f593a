#include "devices.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "mounting.h"
#include "sys.h"
#include "text.h"

enum { LONGEST = 4096 };

static bool is_device(int fd, struct stat *info);
static int open_read_only(int fd, const struct stat *info);
static void name_fd(char name[32], int fd);

bool have_devices(void)
{
    struct stat info;
    return is_device(0, &info) || is_device(1, &info) || is_device(2, &info);
}

void protect_devices(void)
{
    struct stat info;
    for (int fd = 0; fd < 3; fd++) {
        int again = is_device(fd, &info) ? open_read_only(fd, &info) : -1;
        if (again < 0)
            continue;
        dup2(again, fd);
        close(again);
    }
}

/* One that is the same however often it is opened: memory devices, virtual consoles, the console and
 * pseudo-terminals. To open /dev/ptmx makes a new terminal, /dev/net/tun a new interface. */
static bool is_device(int fd, struct stat *info)
{
    if (fstat(fd, info) != 0 || !S_ISCHR(info->st_mode))
        return false;
    const unsigned number = major(info->st_rdev);
    return number == 1 || number == 4 || (number >= 136 && number <= 143) ||
           info->st_rdev == makedev(5, 1);
}

/* The mount of the fd itself may be one of another mount namespace, which cannot be cloned. */
static int open_read_only(int fd, const struct stat *info)
{
    static const struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
    char name[32], path[LONGEST];
    struct stat found;
    name_fd(name, fd);
    ssize_t size = readlinkat(AT_FDCWD, name, path, sizeof path - 1);
    if (size <= 0 || path[0] != '/')
        return -1;
    path[size] = '\0';
    int tree = try_clone_tree(AT_FDCWD, path);
    if (tree < 0)
        return -1;
    int again = -1;
    if (fstat(tree, &found) == 0 && found.st_dev == info->st_dev && found.st_ino == info->st_ino &&
        found.st_rdev == info->st_rdev && sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr) == 0) {
        name_fd(name, tree);
        int flags = fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK);
        again = open(name, flags | O_NOCTTY | O_CLOEXEC);
    }
    close(tree);
    return again;
}

static void name_fd(char name[32], int fd)
{
    char number[11];
    const char *const parts[] = {"/proc/self/fd/", decimal(number, (uint32_t)fd), NULL};
    join(name, 32, parts);
}
