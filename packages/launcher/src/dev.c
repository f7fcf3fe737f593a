#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "mount.h"
#include "sandbox.h"
#include "sys.h"
#include "terminal.h"

struct device {
    const char *name;
    unsigned major, minor;
};

/* The numbers are those of admin-guide/devices.txt of the kernel. */
static const struct device devices[] = {
    {"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
};

enum { NULL_DEVICE = 0 };

/* The detached mount through which the null device was opened. It stays, or becomes that of the sandbox's own /dev: when
 * such a mount is closed, the kernel waits for all processors. */
static int null_mount = -1;

static const char *const links[][2] = {
    {"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"},
};

static void add_devices(int dev);
static void add_links(int dev);
static int add_filesystem(int dev, const char *name, const char *type, const struct option *options,
                          unsigned attributes);
static bool is_device(int fd, struct stat *info);
static int open_read_only(int fd, const struct stat *info);
static int open_again(int file, int as);
static bool make_dev_read_only(const char **what);

void make_dev(int target)
{
    static const struct option root[] = {{"mode", "0755"}, {NULL, NULL}};
    static const struct option shm[] = {{"mode", "1777"}, {NULL, NULL}};
    static const struct option pts[] = {
        {"newinstance", NULL}, {"ptmxmode", "0666"}, {"mode", "0620"}, {NULL, NULL}};
    int dev = new_filesystem("tmpfs", root, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    attach(dev, target, "");
    allow_mount_points_in(dev);
    add_devices(dev);
    add_links(dev);
    keep_devpts(add_filesystem(dev, "pts", "devpts", pts, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
    int memory = add_filesystem(dev, "shm", "tmpfs", shm, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    allow_mount_points_in(memory);
    close(memory);
    close(dev);
}

static void add_devices(int dev)
{
    for (size_t index = 0; index < sizeof devices / sizeof *devices; index++) {
        const bool is_open = index == NULL_DEVICE && null_mount >= 0;
        int device = is_open ? null_mount : clone_device(devices[index].name);
        make_mount_point(dev, devices[index].name, false);
        attach(device, dev, devices[index].name);
        close(device);
        if (is_open)
            null_mount = -1;
    }
}

static void add_links(int dev)
{
    as_program();
    for (size_t index = 0; index < sizeof links / sizeof *links; index++)
        if (symlinkat(links[index][1], dev, links[index][0]) != 0)
            fail(FAILED_SETUP, errno, "symlinkat");
    as_caller();
}

static int add_filesystem(int dev, const char *name, const char *type, const struct option *options,
                          unsigned attributes)
{
    int mount = new_filesystem(type, options, attributes);
    make_mount_point(dev, name, true);
    attach(mount, dev, name);
    return mount;
}

int clone_device(const char *name)
{
    char path[16];
    struct stat info;
    const char *parts[] = {"/dev/", name, NULL};
    join(path, sizeof path, parts);
    int device = clone_tree(AT_FDCWD, path);
    if (fstat(device, &info) != 0)
        fail(FAILED_SETUP, errno, "fstat");
    for (size_t index = 0; index < sizeof devices / sizeof *devices; index++)
        if (strcmp(name, devices[index].name) == 0 && S_ISCHR(info.st_mode) &&
            info.st_rdev == makedev(devices[index].major, devices[index].minor)) {
            restrict_mount(device, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY);
            return device;
        }
    fail(FAILED_SETUP, ENODEV, "a file of the host's /dev is not the device of that name");
}

int open_null_device(void)
{
    char path[FD_PATH];
    null_mount = clone_device("null");
    int null = open(fd_path(path, null_mount), O_RDWR | O_CLOEXEC);
    if (null < 0)
        fail(FAILED_SETUP, errno, "open /dev/null");
    return null;
}

bool have_devices(void)
{
    struct stat info;
    return is_device(0, &info) || is_device(1, &info) || is_device(2, &info);
}

void protect_devices(int null)
{
    struct stat info;
    for (int fd = 0; fd < 3; fd++) {
        int again = -1;
        if (is_device(fd, &info))
            again = null >= 0 && info.st_rdev == makedev(1, 3) ? open_again(null, fd) : open_read_only(fd, &info);
        if (again < 0)
            continue;
        dup2(again, fd);
        close(again);
    }
}

/* Whether it is a device that can be opened again and is the same then: a memory device, a virtual console, the console
 * or a pseudo-terminal. /dev/ptmx, for one, would be a new terminal, and /dev/net/tun a new interface. */
static bool is_device(int fd, struct stat *info)
{
    if (fstat(fd, info) != 0 || !S_ISCHR(info->st_mode))
        return false;
    const unsigned number = major(info->st_rdev);
    return number == 1 || number == 4 || (number >= 136 && number <= 143) ||
           info->st_rdev == makedev(5, 1);
}

/* Looks the device up by its name: the fd may be of a mount in another mount namespace, which cannot be cloned. */
static int open_read_only(int fd, const struct stat *info)
{
    static const struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
    char name[FD_PATH], path[PATH_MAX];
    struct stat found;
    ssize_t size = readlinkat(AT_FDCWD, fd_path(name, fd), path, sizeof path - 1);
    if (size <= 0 || path[0] != '/')
        return -1;
    path[size] = '\0';
    int tree = try_clone_tree(AT_FDCWD, path);
    if (tree < 0)
        return -1;
    int again = -1;
    if (fstat(tree, &found) == 0 && found.st_dev == info->st_dev && found.st_ino == info->st_ino &&
        found.st_rdev == info->st_rdev && sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr) == 0)
        again = open_again(tree, fd);
    close(tree);
    return again;
}

/* Opens a file as it is open at an fd. */
static int open_again(int file, int as)
{
    char path[FD_PATH];
    const int flags = fcntl(as, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK);
    return open(fd_path(path, file), flags | O_NOCTTY | O_CLOEXEC);
}

void run_with_read_only_dev(char **words)
{
    const char *failed = protect_dev();
    if (!failed)
        execve(words[0], words, environ);
    exit_with_error(failed ? failed : "execve", errno);
}

const char *protect_dev(void)
{
    const char *what = "unshare";
    return unshare(CLONE_NEWNS) == 0 && make_dev_read_only(&what) ? NULL : what;
}

/* Makes /dev a mount of its own where it is none. What is mounted below, such as /dev/shm, stays as it is. */
static bool make_dev_read_only(const char **what)
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
