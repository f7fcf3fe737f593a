/* Attacks with namespaces and mounts: taking away what covers something, and leaving the root. */
#include "program.h"

#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/utsname.h>

#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef MS_REC
#define MS_REC 16384
#define MS_PRIVATE (1 << 18)
#endif
/* To ask for less than the sandbox has set is refused for that reason alone. */
#define WRITABLE (MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV)

/* Whether there can be a user namespace in which the program has every capability. */
static void user_namespace(char **words)
{
    (void)words;
    tried("unshare", "user", syscall(SYS_unshare, CLONE_NEWUSER));
}

static void user_namespace_by_clone(char **words)
{
    (void)words;
    long pid = syscall(SYS_clone, CLONE_NEWUSER | (unsigned long)SIGCHLD, 0UL, 0UL, 0UL, 0UL);
    if (pid == 0)
        _exit(0);
    tried("clone", "user", pid);
}

static void user_namespace_by_clone3(char **words)
{
    (void)words;
    struct clone_args how = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &how, sizeof how);
    if (pid == 0)
        _exit(0);
    tried("clone3", "user", pid);
}

void attack_user_namespace(char **words)
{
    in_child(user_namespace, words);
    in_child(user_namespace_by_clone, words);
    in_child(user_namespace_by_clone3, words);
}

/* In a mount namespace of its own, takes mounts away from the paths behind the word "hidden", and makes those behind "read-
 * only" writable again. Nobody else sees what it does to mounts there. */
static void bare(char **words)
{
    bool is_hidden = true;
    if (syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return refused("mount", "private", errno);
    for (char **word = words; *word; word++) {
        if (is_text(*word, "hidden") || is_text(*word, "read-only")) {
            is_hidden = is_text(*word, "hidden");
            continue;
        }
        const char *how = is_hidden ? "unmount" : "remount";
        long result = is_hidden ? syscall(SYS_umount2, *word, MNT_DETACH)
                                : syscall(SYS_mount, NULL, *word, NULL, WRITABLE, NULL);
        int error = result != 0 ? errno : 0;
        if (result == 0 && is_hidden)
            error = content_of(*word);
        if (error == 0)
            got_at(how, *word);
        else
            refused(how, *word, error);
    }
}

static void bare_as_it_is(char **words)
{
    if (syscall(SYS_unshare, CLONE_NEWNS) != 0)
        return refused("unshare", "mount", errno);
    bare(words);
}

static void bare_as_root(char **words)
{
    if (syscall(SYS_unshare, CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return refused("unshare", "user, mount", errno);
    bare(words);
}

void attack_bare(char **words)
{
    in_child(bare_as_it_is, words);
    in_child(bare_as_root, words);
}

/* Mounts something with a name of its own, the second word, on the directory of the first. */
void attack_mount(char **words)
{
    tried("mount", words[0], syscall(SYS_mount, words[1], words[0], "tmpfs", 0, NULL));
}

void attack_hostname(char **words)
{
    struct utsname name;
    (void)words;
    if (syscall(SYS_uname, &name) == 0)
        say("hostname", name.nodename);
}

/* The first word is a directory to mount on, or empty; the others are directories of the host's cgroups. It tries to open
 * them, to start a process in them, and to mount them anew. */
static void into_cgroup(char **words)
{
    for (char **word = words + 1; *word; word++) {
        char path[PATH_SIZE];
        int fd = open(joined(path, *word, "/cgroup.procs", "", ""), O_WRONLY | O_CLOEXEC);
        tried("open", path, fd);
        if (fd >= 0)
            close(fd);
        int directory = open(*word, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct clone_args how = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD};
        how.cgroup = (unsigned)directory;
        long pid = directory < 0 ? -1 : syscall(SYS_clone3, &how, sizeof how);
        if (pid == 0)
            _exit(0);
        tried("clone3 into", *word, pid);
    }
}

static void mount_cgroups(char **words)
{
    long plain = syscall(SYS_unshare, CLONE_NEWNS);
    if (plain != 0)
        plain = syscall(SYS_unshare, CLONE_NEWUSER | CLONE_NEWNS);
    if (plain != 0 || syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return refused("mount", "cgroup2", errno);
    long result = syscall(SYS_mount, "none", words[0], "cgroup2", 0, NULL);
    if (result != 0)
        return refused("mount", "cgroup2", errno);
    char path[PATH_SIZE];
    tried("mount", "cgroup2", open(joined(path, words[0], "/cgroup.procs", "", ""), O_WRONLY | O_CLOEXEC));
}

void attack_cgroup(char **words)
{
    in_child(into_cgroup, words);
    if (*words[0] != '\0')
        in_child(mount_cgroups, words);
}

/* Leaves the root as a process can that has CAP_SYS_CHROOT: by another root below the directory in which it is. The words
 * are what stands in a file of the host, its path there, and a directory inside. */
static void by_another_root(char **words)
{
    if (syscall(SYS_chdir, "/") != 0 || syscall(SYS_chroot, words[2]) != 0)
        return refused("chroot", words[2], errno);
    for (int step = 0; step < 64; step++)
        syscall(SYS_chdir, "..");
    if (syscall(SYS_chroot, ".") != 0)
        return refused("chroot", ".", errno);
    int error = holds(words[1], words[0]);
    if (error == 0)
        got_at("chroot", words[1]);
    else
        refused("chroot", words[1], error);
}

static void by_a_user_namespace(char **words)
{
    if (syscall(SYS_unshare, CLONE_NEWUSER) != 0)
        return refused("unshare", "user", errno);
    by_another_root(words);
}

void attack_leave_root(char **words)
{
    in_child(by_another_root, words);
    in_child(by_a_user_namespace, words);
}
