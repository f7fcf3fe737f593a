#include "dev.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "ids.h"
#include "mounting.h"
#include "outcome.h"
#include "sys.h"
#include "target.h"
#include "terminal.h"
#include "text.h"

struct device {
    const char *name;
    unsigned major, minor;
};

/* The numbers are those of the kernel's devices.txt. */
static const struct device devices[] = {
    {"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
};

static const char *const links[][2] = {
    {"fd", "/proc/self/fd"},         {"stdin", "/proc/self/fd/0"},  {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"},
};

static void add_devices(int dev);
static void add_links(int dev);
static int add_filesystem(int dev, const char *name, const char *type, const struct option *options,
                           unsigned attributes);

void make_dev(int target)
{
    static const struct option root[] = {{"mode", "0755"}, {NULL, NULL}};
    static const struct option shm[] = {{"mode", "1777"}, {NULL, NULL}};
    static const struct option pts[] = {
        {"newinstance", NULL}, {"ptmxmode", "0666"}, {"mode", "0620"}, {NULL, NULL}};
    int dev = new_filesystem("tmpfs", root, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    attach(dev, target, "");
    allow_targets_in(dev);
    add_devices(dev);
    add_links(dev);
    keep_terminals(add_filesystem(dev, "pts", "devpts", pts, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
    close(add_filesystem(dev, "shm", "tmpfs", shm, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
    close(dev);
}

static void add_devices(int dev)
{
    for (size_t index = 0; index < sizeof devices / sizeof *devices; index++) {
        int device = clone_device(devices[index].name);
        make_target(dev, devices[index].name, false);
        attach(device, dev, devices[index].name);
        close(device);
    }
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
    char path[32], number[11];
    int device = clone_device("null");
    const char *const parts[] = {"/proc/self/fd/", decimal(number, (uint32_t)device), NULL};
    join(path, sizeof path, parts);
    int null = open(path, O_RDWR | O_CLOEXEC);
    if (null < 0)
        fail(FAILED_SETUP, errno, "open /dev/null");
    close(device);
    return null;
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
    make_target(dev, name, true);
    attach(mount, dev, name);
    return mount;
}
