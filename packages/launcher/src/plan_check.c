#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run_plan.h"
#include "sys.h"

static const uint8_t *read_whole(const char *path, size_t *size);
static void check_caller(const char *path, const struct plan *plan);
static void check_launcher(const char *path, struct cursor launcher);
static void check_files(const struct plan *plan);
static _Noreturn void refuse_path(const char *field, const char *what, int error);

void read_plan(const char *path, struct plan *plan)
{
    size_t size;
    const uint8_t *data = read_whole(path, &size);
    const char *wrong = parse_plan(data, size, plan);
    if (wrong)
        refuse(path, wrong, 0);
    check_caller(path, plan);
    check_launcher(path, plan->launcher);
    check_files(plan);
}

/* What is in the file is as good as a command of the caller's, so nobody else may have written it. */
static const uint8_t *read_whole(const char *path, size_t *size)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        refuse(path, "the plan cannot be opened", errno);
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        refuse(path, "the plan is no regular file", 0);
    if (info.st_uid != geteuid())
        refuse(path, "the plan belongs to another user", 0);
    if (info.st_mode & (S_IWGRP | S_IWOTH))
        refuse(path, "the plan can be written to by others than its owner: chmod go-w would forbid that", 0);
    if (info.st_size <= 0 || info.st_size > LARGEST_FRAME)
        refuse(path, "is no plan that this launcher can read", 0);
    *size = (size_t)info.st_size;
    uint8_t *data = malloc(*size);
    if (!data)
        refuse(path, "there is no memory for the plan", ENOMEM);
    for (size_t have = 0; have < *size;) {
        ssize_t got = read(fd, data + have, *size - have);
        if (got <= 0)
            refuse(path, "is cut short, or is not as it was written", got < 0 ? errno : 0);
        have += (size_t)got;
    }
    close(fd);
    return data;
}

static void check_caller(const char *path, const struct plan *plan)
{
    uid_t uid[3];
    gid_t gid[3];
    if (getresuid(&uid[0], &uid[1], &uid[2]) != 0 || getresgid(&gid[0], &gid[1], &gid[2]) != 0)
        refuse(path, "the ids of the caller cannot be read", errno);
    for (int index = 0; index < 3; index++)
        if (uid[index] != plan->uid || gid[index] != plan->gid)
            refuse(path, "the plan was made for another user or group", 0);
}

static void check_launcher(const char *path, struct cursor launcher)
{
    struct stat info;
    if (fstatat(AT_FDCWD, "/proc/self/exe", &info, 0) != 0)
        refuse("/proc/self/exe", "the launcher's own file cannot be looked at", errno);
    const uint64_t seen[] = {info.st_dev, info.st_ino, (uint64_t)info.st_size,
                             (uint64_t)info.st_mtim.tv_sec * 1000000000 + (uint64_t)info.st_mtim.tv_nsec};
    for (size_t index = 0; index < sizeof seen / sizeof *seen; index++)
        if (take_u64(&launcher) != seen[index])
            refuse(path, "the plan was made for another launcher", 0);
}

static void check_files(const struct plan *plan)
{
    struct cursor files = plan->files;
    for (uint32_t index = 0; index < plan->file_count; index++) {
        const struct planned_file file = next_planned_file(&files);
        struct stat info;
        if (fstatat(AT_FDCWD, file.path, &info, AT_SYMLINK_NOFOLLOW) != 0)
            refuse_path(file.field, "what the plan was made with cannot be reached", errno);
        if (info.st_dev != file.device || info.st_ino != file.inode || (info.st_mode & S_IFMT) != file.kind)
            refuse_path(file.field, "it is not what it was when the plan was made", 0);
    }
}

static void refuse_path(const char *field, const char *what, int error)
{
    const struct planned_error all = {"PATH_INVALID", field, true, what, error, EXIT_NO_SANDBOX};
    refuse_as(&all);
}
