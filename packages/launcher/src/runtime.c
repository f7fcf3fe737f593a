#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "launcher.h"
#include "process.h"
#include "sys.h"

/* The fds for a guest, behind those that core has opened. */
enum { REPORT_FD = 3, COMMAND_FD = 7, FIRST_STREAM = 8 };

static void enter_user_namespace(const char *ids);
static void map_ids(pid_t pid, const char *ids);
static void map_id(const char *directory, const char *file, uint32_t root, const char *more);
static void hide_cgroups(void);
static void hand_on_command(char **command);
static void hand_on_streams(void);
static void put_at(int fd, int number);

/* `words`: `own`, `user` or `user:UID:GID`, how many words the runtime has, those, and the program's. */
void run_runtime(char **words)
{
    const bool has_user = strncmp(words[0], "user", 4) == 0;
    char *end = NULL;
    unsigned long long count = words[1] ? strtoull(words[1], &end, 10) : 0;
    char **runtime = words + 2, **command = runtime;
    if (count == 0 || *end != '\0' || (!has_user && strcmp(words[0], "own") != 0))
        exit_with_error("runtime", EINVAL);
    for (; count > 0 && *command; count--)
        command++;
    if (!*command)
        exit_with_error("runtime", EINVAL);
    if (has_user)
        enter_user_namespace(words[0] + 4);
    if (unshare(CLONE_NEWNS) != 0)
        exit_with_error("unshare", errno);
    if (sys_make_all_private() != 0)
        exit_with_error("mount", errno);
    hide_cgroups();
    hand_on_command(command);
    *command = NULL;
    hand_on_streams();
    execve(runtime[0], runtime, environ);
    exit_with_error("execve", errno);
}

/* Whoever is in it can map one id only, so a child that is not does it. */
static void enter_user_namespace(const char *ids)
{
    int ends[2];
    char byte = 0;
    const pid_t pid = (pid_t)syscall(SYS_getpid);
    if (pipe2(ends, O_CLOEXEC) != 0)
        exit_with_error("pipe2", errno);
    pid_t child = fork();
    if (child < 0)
        exit_with_error("fork", errno);
    if (child == 0) {
        close(ends[1]);
        if (read(ends[0], &byte, 1) == 1)
            map_ids(pid, ids);
        _exit(0);
    }
    if (unshare(CLONE_NEWUSER) != 0)
        exit_with_error("unshare", errno);
    if (write(ends[1], &byte, 1) != 1 || wait_for_end(child) != 0)
        _exit(1);
    close(ends[0]);
    close(ends[1]);
}

/* 0 is the caller, and another id of a caller who may choose one is itself. `ids`: none, or `:UID:GID`. */
static void map_ids(pid_t pid, const char *ids)
{
    char number[NUMBER], directory[NUMBER + 8];
    char uid[NUMBER] = "";
    const char *const parts[] = {"/proc/", decimal(number, (uint32_t)pid), "/", NULL};
    const char *gid = *ids ? strchr(ids + 1, ':') : NULL;
    join(directory, sizeof directory, parts);
    if (gid && (size_t)(gid - ids) < sizeof uid)
        memcpy(uid, ids + 1, (size_t)(gid - ids) - 1);
    if (!gid)
        map_id(directory, "setgroups", 0, NULL);
    map_id(directory, "uid_map", geteuid(), uid);
    map_id(directory, "gid_map", getegid(), gid ? gid + 1 : "");
}

static void map_id(const char *directory, const char *file, uint32_t root, const char *more)
{
    char path[64], text[128], number[NUMBER];
    const char *const paths[] = {directory, file, NULL};
    const bool has_more = more && *more && strcmp(more, "0") != 0;
    const char *const lines[] = {
        "0 ", decimal(number, root), " 1\n", has_more ? more : "", has_more ? " " : "", has_more ? more : "",
        has_more ? " 1\n" : "", NULL};
    join(path, sizeof path, paths);
    if (!write_file(path, more ? join(text, sizeof text, lines) : "deny"))
        exit_with_error(path, errno);
}

/* The sandbox stays in the cgroup in which this process is, whose limits hold for it: runtimes put it into another one,
 * and find out here that they cannot. crun refuses to start at all where cgroups of both versions are mounted. */
static void hide_cgroups(void)
{
    static const struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
    static const char unified[] = "/sys/fs/cgroup/unified";
    if (sys_mount_setattr(AT_FDCWD, "/sys/fs/cgroup", AT_RECURSIVE, &read_only) != 0 && errno != ENOENT &&
        errno != EINVAL)
        exit_with_error("mount_setattr", errno);
    if (syscall(SYS_mount, "tmpfs", unified, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0 &&
        errno != ENOENT)
        exit_with_error("mount", errno);
}

static void hand_on_command(char **command)
{
    int file = sys_memfd_create("sandboxlib-command", 0);
    if (file < 0)
        exit_with_error("memfd_create", errno);
    for (; *command; command++)
        for (size_t left = strlen(*command) + 1; left > 0;) {
            const char *end = *command + strlen(*command) + 1;
            ssize_t wrote = write(file, end - left, left);
            if (wrote <= 0)
                exit_with_error("write", errno);
            left -= (size_t)wrote;
        }
    if (syscall(SYS_lseek, file, 0, SEEK_SET) != 0)
        exit_with_error("lseek", errno);
    put_at(file, COMMAND_FD);
}

/* A runtime gives what it has as its own streams to the program's user, copies what goes through them, or ends with a
 * reader that has gone: so it gets others, and what it says comes with the report. */
static void hand_on_streams(void)
{
    int ends[2];
    for (int stream = 0; stream < 3; stream++)
        if (dup2(stream, FIRST_STREAM + stream) < 0)
            exit_with_error("dup2", errno);
    if (pipe2(ends, 0) != 0)
        exit_with_error("pipe2", errno);
    close(ends[1]);
    put_at(ends[0], 0);
    dup2(REPORT_FD, 1);
    dup2(REPORT_FD, 2);
}

static void put_at(int fd, int number)
{
    if (fd == number)
        return;
    if (dup2(fd, number) < 0)
        exit_with_error("dup2", errno);
    close(fd);
}
