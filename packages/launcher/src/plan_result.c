#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plan_json.h"
#include "run_plan.h"
#include "sys.h"

enum { RANDOM = 8, LONGEST_NAME = 255 };

static bool is_same(const struct stat *one, const char *other);
static int write_beside(char temporary[LONGEST_NAME + 1], const uint8_t *data, size_t size);
static void put_there(struct report *json);
static _Noreturn void refuse_result(const char *what, int error, int exit_status);

/* The program may be able to write to the directory, or to replace it, so this stays open. */
static int directory = -1;
static const char *file, *name;

void open_result(const char *path, const char *plan)
{
    struct stat info;
    char temporary[LONGEST_NAME + 1], parent[4096];
    const char *slash = strrchr(path, '/');
    const size_t length = slash ? (size_t)(slash - path) + 1 : 2;
    file = path;
    name = slash ? slash + 1 : path;
    if (length >= sizeof parent || *name == '\0')
        refuse_result("is no name of a file", 0, EXIT_USAGE);
    memcpy(parent, slash ? path : "./", length);
    parent[length] = '\0';
    int opened = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0)
        refuse_result("cannot be written", errno, EXIT_USAGE);
    const bool is_there = fstatat(opened, name, &info, AT_SYMLINK_NOFOLLOW) == 0;
    if (is_there && !S_ISREG(info.st_mode))
        refuse_result("is not a regular file", 0, EXIT_USAGE);
    if (is_there && is_same(&info, plan))
        refuse_result("is the plan, which it would replace", 0, EXIT_USAGE);
    directory = opened;
    const int failed = write_beside(temporary, (const uint8_t *)"{}\n", 3);
    directory = -1;
    if (failed != 0 || unlinkat(opened, temporary, 0) != 0 || (is_there && unlinkat(opened, name, 0) != 0))
        refuse_result("cannot be written", failed != 0 ? failed : errno, EXIT_USAGE);
    directory = opened;
}

static bool is_same(const struct stat *one, const char *other)
{
    struct stat info;
    return fstatat(AT_FDCWD, other, &info, 0) == 0 && info.st_dev == one->st_dev && info.st_ino == one->st_ino;
}

/* Writes a new file, and says how it is called. Returns errno, or 0. */
static int write_beside(char temporary[LONGEST_NAME + 1], const uint8_t *data, size_t size)
{
    uint8_t random[RANDOM];
    char digits[2 * RANDOM + 1] = {0};
    if (syscall(SYS_getrandom, random, sizeof random, 0) != sizeof random)
        return errno;
    for (int index = 0; index < 2 * RANDOM; index++)
        digits[index] = "0123456789abcdef"[random[index / 2] >> (index % 2 ? 0 : 4) & 15];
    const char *const parts[] = {".", name, ".", digits, NULL};
    join(temporary, LONGEST_NAME + 1, parts);
    int fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return errno;
    int failed = 0;
    for (size_t wrote = 0; failed == 0 && wrote < size;) {
        ssize_t more = write(fd, data + wrote, size - wrote);
        failed = more >= 0 || errno == EINTR ? 0 : errno;
        wrote += more > 0 ? (size_t)more : 0;
    }
    if (failed == 0 && syscall(SYS_fsync, fd) != 0)
        failed = errno;
    close(fd);
    if (failed != 0)
        unlinkat(directory, temporary, 0);
    return failed;
}

void write_result(enum planned_outcome outcome, const struct planned_end *end, const struct plan *plan,
                  const struct planned_command *command)
{
    if (directory < 0)
        return;
    struct report json = result_json(outcome, end, plan, command);
    put_there(&json);
}

void write_error(const char *code, const char *field, const char *message)
{
    if (directory < 0)
        return;
    struct report json = error_json(code, field, message);
    put_there(&json);
}

/* All of it at once, so that a reader finds the whole or no file. */
static void put_there(struct report *json)
{
    char temporary[LONGEST_NAME + 1];
    int failed = write_beside(temporary, json->data, json->size);
    if (failed == 0 && syscall(SYS_renameat2, directory, temporary, directory, name, 0) != 0) {
        failed = errno;
        unlinkat(directory, temporary, 0);
    }
    close(directory);
    directory = -1;
    if (failed != 0)
        refuse_result("cannot be written", failed, EXIT_NO_SANDBOX);
}

static void refuse_result(const char *what, int error, int exit_status)
{
    char subject[512];
    const char *const parts[] = {"--result-file: ", file, NULL};
    const struct planned_error all = {
        "USAGE", join(subject, sizeof subject, parts), false, what, error, exit_status,
    };
    refuse_as(&all);
}
