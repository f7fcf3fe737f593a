#include "guest.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "sys.h"

static const char *value_of(const char *word, const char *name);
static bool read_numbers(const char *text, unsigned long long *numbers, int count);
static const char *enter_user_namespace(const char *user);
static bool write_map(const char *file, uint64_t inside, uint64_t outside);
static bool make_links(const char *dev);
static bool give_up_capabilities(void);

bool is_guest_setting(const char *word)
{
    return value_of(word, "streams=") || value_of(word, "dev=/") || value_of(word, "rlimit=");
}

bool take_guest_streams(char **options)
{
    for (; *options && strcmp(*options, "--") != 0; options++) {
        const char *value = value_of(*options, "streams=");
        unsigned long long first;
        if (!value)
            continue;
        if (!read_numbers(value, &first, 1) || first <= STDERR_FILENO || first > INT32_MAX - 2)
            return false;
        for (int stream = 0; stream < 3; stream++)
            if (dup2((int)first + stream, stream) < 0)
                return false;
    }
    return true;
}

const char *enter_guest_root(const char *root, const char *user, char **options)
{
    const char *failed = user ? enter_user_namespace(user) : NULL;
    if (failed)
        return failed;
    /* Here no user namespace can be made any more: the kernel refuses that to whoever is in a chroot. */
    if (chdir(root) != 0 || syscall(SYS_chroot, ".") != 0)
        return "root";
    for (; *options && strcmp(*options, "--") != 0; options++) {
        const char *dev = value_of(*options, "dev=/");
        if (dev && !make_links(dev))
            return "dev";
    }
    return give_up_capabilities() ? NULL : "capabilities";
}

const char *set_guest_limits(char **options)
{
    for (; *options && strcmp(*options, "--") != 0; options++) {
        const char *value = value_of(*options, "rlimit=");
        unsigned long long numbers[3];
        if (!value)
            continue;
        errno = EINVAL;
        if (!read_numbers(value, numbers, 3))
            return "rlimit";
        const struct rlimit limit = {.rlim_cur = numbers[1], .rlim_max = numbers[2]};
        if (syscall(SYS_prlimit64, 0, (int)numbers[0], &limit, NULL) != 0)
            return "rlimit";
    }
    return NULL;
}

/* What follows the `=`; NULL for another option. `name` ends in `=`, or in the slash with which a path begins. */
static const char *value_of(const char *word, const char *name)
{
    return strncmp(word, name, strlen(name)) == 0 ? strchr(word, '=') + 1 : NULL;
}

/* Numbers in decimal, with colons between. */
static bool read_numbers(const char *text, unsigned long long *numbers, int count)
{
    for (int index = 0; index < count; index++) {
        char *end;
        numbers[index] = strtoull(text, &end, 10);
        if (*text < '0' || *text > '9' || *end != (index + 1 < count ? ':' : '\0'))
            return false;
        text = end + 1;
    }
    return true;
}

/* Gives the one id that there is here another number. */
static const char *enter_user_namespace(const char *user)
{
    unsigned long long ids[2];
    const uint64_t uid = geteuid(), gid = getegid();
    errno = EINVAL;
    if (!read_numbers(user, ids, 2))
        return "user";
    if (unshare(CLONE_NEWUSER) != 0)
        return "unshare";
    if (!write_file("/proc/self/setgroups", "deny"))
        return "setgroups";
    if (!write_map("/proc/self/uid_map", ids[0], uid))
        return "uid_map";
    return write_map("/proc/self/gid_map", ids[1], gid) ? NULL : "gid_map";
}

static bool write_map(const char *file, uint64_t inside, uint64_t outside)
{
    char numbers[2][NUMBER], line[2 * NUMBER + 3];
    const char *const parts[] = {decimal(numbers[0], inside), " ", decimal(numbers[1], outside), " 1", NULL};
    return write_file(file, join(line, sizeof line, parts));
}

static bool make_links(const char *dev)
{
    static const char *const links[][2] = {
        {"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
        {"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"},
    };
    const struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
    int directory = sys_openat2(AT_FDCWD, dev, &how);
    bool done = directory >= 0;
    for (size_t index = 0; done && index < sizeof links / sizeof *links; index++)
        done = symlinkat(links[index][1], directory, links[index][0]) == 0;
    int error = errno;
    close(directory);
    errno = error;
    return done;
}

/* The kernel answers EINVAL to the first number that is no capability. */
static bool give_up_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[2] = {0};
    for (unsigned long capability = 0;; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0)
            continue;
        if (errno != EINVAL || capability == 0)
            return false;
        break;
    }
    return syscall(SYS_capset, &header, none) == 0;
}
