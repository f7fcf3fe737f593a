#include <errno.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "sandbox.h"
#include "sys.h"

/* In the order of the protocol. */
static const struct {
    const char *name;
    unsigned long flag;
} kinds[NAMESPACE_COUNT] = {
    {"mnt", CLONE_NEWNS},   {"pid", CLONE_NEWPID},       {"ipc", CLONE_NEWIPC}, {"uts", CLONE_NEWUTS},
    {"user", CLONE_NEWUSER}, {"cgroup", CLONE_NEWCGROUP}, {"net", CLONE_NEWNET},
};
/* These show what the host is at the moment in which they are made, so they are made when the program is to start. */
enum { LATE = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWCGROUP };

/* Those of the launcher itself. */
static uint64_t own[NAMESPACE_COUNT];

static unsigned long flags_of(uint32_t wanted, bool user);
static void check_new(unsigned long flags, const uint64_t inodes[NAMESPACE_COUNT]);
static void read_inodes(const char *process, unsigned long flags, uint64_t inodes[NAMESPACE_COUNT]);

pid_t fork_into_namespaces(uint32_t wanted, bool user, int *pidfd)
{
    unsigned long flags = CLONE_PIDFD | (flags_of(wanted, user) & ~(unsigned long)LATE);
    /* Not clone3, because filters of system calls answer that with ENOSYS. The arguments whose order differs between
     * architectures are not used. */
    long pid = syscall(SYS_clone, flags | SIGCHLD, NULL, pidfd, NULL, NULL);
    if (pid < 0)
        fail(FAILED_SETUP, errno, "clone");
    return (pid_t)pid;
}

static unsigned long flags_of(uint32_t wanted, bool user)
{
    unsigned long flags = CLONE_NEWNS | CLONE_NEWPID;
    flags |= user ? CLONE_NEWUSER : 0;
    flags |= wanted & NAMESPACE_IPC ? CLONE_NEWIPC : 0;
    flags |= wanted & NAMESPACE_UTS ? CLONE_NEWUTS : 0;
    flags |= wanted & NAMESPACE_CGROUP ? CLONE_NEWCGROUP : 0;
    flags |= wanted & NAMESPACE_NET ? CLONE_NEWNET : 0;
    return flags;
}

void read_own_inodes(void)
{
    if (own[0] == 0)
        read_inodes("self", ~0UL, own);
}

void read_identity(struct identity *identity, pid_t pid, uint32_t wanted, bool user)
{
    char number[NUMBER];
    read_own_inodes();
    read_inodes(decimal(number, (uint32_t)pid), ~(unsigned long)LATE, identity->inodes);
    check_new(flags_of(wanted, user) & ~(unsigned long)LATE, identity->inodes);
    identity->pid = (uint32_t)pid;
}

void enter_late_namespaces(uint32_t wanted, struct identity *identity)
{
    unsigned long flags = flags_of(wanted, false) & LATE;
    if (unshare((int)flags) != 0)
        fail(FAILED_SETUP, errno, "unshare");
    read_inodes("self", LATE, identity->inodes);
    check_new(flags, identity->inodes);
}

static void check_new(unsigned long flags, const uint64_t inodes[NAMESPACE_COUNT])
{
    for (int index = 0; index < NAMESPACE_COUNT; index++)
        if (flags & kinds[index].flag && inodes[index] == own[index])
            fail(FAILED_READBACK, 0, "a namespace is not new");
}

/* Reads those whose flags are given. */
static void read_inodes(const char *process, unsigned long flags, uint64_t inodes[NAMESPACE_COUNT])
{
    char path[32];
    const char *const parts[] = {"/proc/", process, "/ns", NULL};
    join(path, sizeof path, parts);
    int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        fail(FAILED_SETUP, errno, "open /proc/PID/ns");
    for (int index = 0; index < NAMESPACE_COUNT; index++) {
        struct stat info;
        if (!(flags & kinds[index].flag))
            continue;
        if (fstatat(directory, kinds[index].name, &info, 0) != 0)
            fail(FAILED_SETUP, errno, "stat /proc/PID/ns");
        inodes[index] = info.st_ino;
    }
    close(directory);
}

void forbid_user_namespaces(void)
{
    const char *file = "/proc/sys/user/max_user_namespaces";
    char limit[4];
    if (!write_file(file, "0"))
        fail(FAILED_SETUP, errno, "write max_user_namespaces");
    if (!read_file(file, limit, sizeof limit) || strcmp(limit, "0\n") != 0)
        fail(FAILED_READBACK, 0, "user namespaces can still be made");
}

void set_hostname(const char *name)
{
    struct utsname names;
    if (sethostname(name, strlen(name)) != 0)
        fail(FAILED_SETUP, errno, "sethostname");
    if (uname(&names) != 0 || strcmp(names.nodename, name) != 0)
        fail(FAILED_READBACK, 0, "the host name is not the one that was set");
}

void bring_loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fail(FAILED_SETUP, errno, "socket");
    request.ifr_flags = IFF_UP;
    if (ioctl(fd, SIOCSIFFLAGS, &request) != 0)
        fail(FAILED_SETUP, errno, "ioctl(SIOCSIFFLAGS)");
    if (ioctl(fd, SIOCGIFFLAGS, &request) != 0 || !(request.ifr_flags & IFF_UP))
        fail(FAILED_READBACK, 0, "the loopback interface is not up");
    close(fd);
}
