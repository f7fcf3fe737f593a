/* limit PARTS COUNT AT_A_TIME: what the kernel itself charges for a sandbox like ours, in milliseconds a launch. Makes
 * the system calls of our launcher that change something, in its order, and no other: nothing is read back, nobody is
 * told, and no path is looked up with care. PARTS: `exec` (fork and exec alone), `namespaces`, `mounts` (all namespaces
 * but the network's, and the mounts), or `all`. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

enum { NOSUID = MOUNT_ATTR_NOSUID, NODEV = MOUNT_ATTR_NODEV, NOEXEC = MOUNT_ATTR_NOEXEC, RDONLY = MOUNT_ATTR_RDONLY };

static void launch(bool has_namespaces, bool has_network, bool has_mounts);
static _Noreturn void be_init(bool has_network, bool has_mounts);
static void map_ids(void);
static void bring_loopback_up(void);
static void make_mounts(void);
static void make_proc(int root);
static void make_dev(int root);
static void drop_privileges(void);
static _Noreturn void execute(void);
static int filesystem(const char *type, const char *const options[][2], unsigned attributes);
static int clone_tree(int at, const char *path, unsigned attributes);
static void attach(int mount, int at, const char *path);
static long check(long result, const char *what);

static uid_t uid;
static gid_t gid;

int main(int count, char **words)
{
    if (count != 4)
        return 2;
    const bool is_all = strcmp(words[1], "all") == 0, has_mounts = is_all || strcmp(words[1], "mounts") == 0;
    const bool has_network = is_all || strcmp(words[1], "namespaces") == 0;
    const int all = atoi(words[2]), most = atoi(words[3]);
    uid = geteuid();
    gid = getegid();
    const double start = milliseconds();
    for (int started = 0, ended = 0; ended < all;) {
        for (; started < all && started - ended < most; started++)
            launch(has_mounts || has_network, has_network, has_mounts);
        int status;
        check(wait(&status), "wait");
        ended++;
        if (status != 0)
            return 1;
    }
    printf("%f\n", (milliseconds() - start) / all);
    return 0;
}

/* In a process of its own, as to make namespaces takes long, and others can do the same meanwhile. */
static void launch(bool has_namespaces, bool has_network, bool has_mounts)
{
    unsigned long flags = SIGCHLD | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWIPC;
    int status;
    if (check(fork(), "fork") != 0)
        return;
    setsid();
    if (!has_namespaces)
        execute();
    if (check(syscall(SYS_clone, flags | (has_network ? CLONE_NEWNET : 0), NULL, NULL, NULL, NULL), "clone") == 0)
        be_init(has_network, has_mounts);
    check(wait(&status), "wait");
    _exit(status == 0 ? 0 : 1);
}

/* Pid 1 of the sandbox. */
static void be_init(bool has_network, bool has_mounts)
{
    int status;
    map_ids();
    check(prctl(PR_SET_PDEATHSIG, SIGKILL), "PR_SET_PDEATHSIG");
    check(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP), "PR_SET_SECUREBITS");
    syscall(SYS_keyctl, 1L, NULL);
    for (int capability = 0; prctl(PR_CAPBSET_DROP, capability) == 0; capability++)
        continue;
    if (has_network)
        bring_loopback_up();
    check(unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWCGROUP), "unshare");
    check(sethostname("sandbox", 7), "sethostname");
    if (has_mounts)
        make_mounts();
    drop_privileges();
    if (check(fork(), "fork") == 0)
        execute();
    check(wait(&status), "wait");
    _exit(status == 0 ? 0 : 1);
}

static void map_ids(void)
{
    char texts[3][32] = {"deny"};
    static const char *const files[] = {"setgroups", "uid_map", "gid_map"};
    sprintf(texts[1], "%u %u 1", uid, uid);
    sprintf(texts[2], "%u %u 1", gid, gid);
    for (int index = 0; index < 3; index++) {
        char path[32];
        sprintf(path, "/proc/self/%s", files[index]);
        int fd = (int)check(open(path, O_WRONLY | O_CLOEXEC), path);
        check(write(fd, texts[index], strlen(texts[index])), path);
        close(fd);
    }
    int fd = (int)check(open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC), "max_user_namespaces");
    check(write(fd, "0", 1), "max_user_namespaces");
    close(fd);
}

static void bring_loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = (int)check(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
    check(ioctl(fd, SIOCSIFFLAGS, &request), "SIOCSIFFLAGS");
    close(fd);
}

/* Those of the default config. */
static void make_mounts(void)
{
    static const char *const tmp[][2] = {{"mode", "1777"}, {NULL, NULL}};
    static const char *const hidden[][2] = {{"mode", "0111"}, {NULL, NULL}};
    check(syscall(SYS_mount, NULL, "/", NULL, 0x44000L, NULL), "mount(MS_PRIVATE)");
    int root = clone_tree(AT_FDCWD, "/", RDONLY | NOSUID | NODEV);
    check(syscall(SYS_move_mount, root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH), "move_mount");
    make_proc(root);
    make_dev(root);
    attach(filesystem("tmpfs", tmp, NOSUID | NODEV), root, "tmp");
    attach(filesystem("tmpfs", hidden, NOSUID | NODEV | NOEXEC | RDONLY), root, "sys/fs/cgroup");
    check(fchdir(root), "fchdir");
    check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
    check(syscall(SYS_umount2, ".", 2L), "umount2");
    check(chdir("/"), "chdir");
    close(root);
}

static void make_proc(int root)
{
    static const char *const none[][2] = {{NULL, NULL}};
    static const char *const settings[] = {"sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi"};
    int proc = filesystem("proc", none, NOSUID | NODEV | NOEXEC);
    check(syscall(SYS_move_mount, proc, "", root, "proc", MOVE_MOUNT_F_EMPTY_PATH), "move_mount");
    for (size_t index = 0; index < sizeof settings / sizeof *settings; index++)
        if (uid == 0 && faccessat(proc, settings[index], F_OK, 0) == 0)
            attach(clone_tree(proc, settings[index], RDONLY), proc, settings[index]);
    close(proc);
}

static void make_dev(int root)
{
    static const char *const mode[][2] = {{"mode", "0755"}, {NULL, NULL}};
    static const char *const shm[][2] = {{"mode", "1777"}, {NULL, NULL}};
    static const char *const pts[][2] = {{"newinstance", NULL}, {"ptmxmode", "0666"}, {"mode", "0620"}, {NULL, NULL}};
    static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};
    static const char *const links[] = {"fd", "stdin", "stdout", "stderr", "ptmx"};
    int dev = filesystem("tmpfs", mode, NOSUID | NODEV);
    check(syscall(SYS_move_mount, dev, "", root, "dev", MOVE_MOUNT_F_EMPTY_PATH), "move_mount");
    for (size_t index = 0; index < sizeof devices / sizeof *devices; index++) {
        char path[32];
        sprintf(path, "/dev/%s", devices[index]);
        check(mknodat(dev, devices[index], S_IFREG | 0644, 0), "mknodat");
        attach(clone_tree(AT_FDCWD, path, RDONLY | NOSUID | NOEXEC), dev, devices[index]);
    }
    for (size_t index = 0; index < sizeof links / sizeof *links; index++)
        check(symlinkat("/proc/self/fd", dev, links[index]), "symlinkat");
    check(mkdirat(dev, "pts", 0755), "mkdirat");
    attach(filesystem("devpts", pts, NOSUID | NOEXEC), dev, "pts");
    check(mkdirat(dev, "shm", 0755), "mkdirat");
    attach(filesystem("tmpfs", shm, NOSUID | NODEV), dev, "shm");
    close(dev);
}

static void drop_privileges(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[2] = {0};
    struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_fprog filter = {1, allow};
    check(setresgid(gid, gid, gid), "setresgid");
    check(setresuid(uid, uid, uid), "setresuid");
    check(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "PR_CAP_AMBIENT");
    check(syscall(SYS_capset, &header, none), "capset");
    check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
    check(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "PR_SET_DUMPABLE");
    check(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter), "seccomp");
}

static void execute(void)
{
    char *const words[] = {"/bin/true", NULL}, *const none[] = {NULL};
    setsid();
    syscall(SYS_close_range, 3L, ~0U, 4L);
    execve(words[0], words, none);
    _exit(127);
}

static int filesystem(const char *type, const char *const options[][2], unsigned attributes)
{
    int context = (int)check(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC), "fsopen");
    for (; options[0][0]; options++)
        check(syscall(SYS_fsconfig, context, options[0][1] ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, options[0][0],
                      options[0][1], 0), "fsconfig");
    check(syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0), "FSCONFIG_CMD_CREATE");
    int mount = (int)check(syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes), "fsmount");
    close(context);
    return mount;
}

static int clone_tree(int at, const char *path, unsigned attributes)
{
    struct mount_attr attr = {.attr_set = attributes, .propagation = 1 << 18};
    int tree = (int)check(syscall(SYS_open_tree, at, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | 0x8000), "open_tree");
    check(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | 0x8000, &attr, sizeof attr), "mount_setattr");
    return tree;
}

static void attach(int mount, int at, const char *path)
{
    check(syscall(SYS_move_mount, mount, "", at, path, MOVE_MOUNT_F_EMPTY_PATH), "move_mount");
    close(mount);
}

static long check(long result, const char *what)
{
    if (result < 0) {
        perror(what);
        _exit(1);
    }
    return result;
}
