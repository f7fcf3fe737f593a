/* Attacks on files: those that can be written or read and must not be, and other names for them. */
#include "program.h"

#include <linux/openat2.h>
#include <sys/sysmacros.h>
#include <sys/file.h>

/* Whether a path can be written, in ways that change nothing: opens a file for writing, makes one without a name in a
 * directory, and takes away an attribute that is not there. */
void attack_write(char **words)
{
    for (; *words; words++) {
        struct stat info;
        if (fstatat(AT_FDCWD, *words, &info, AT_SYMLINK_NOFOLLOW) != 0) {
            refused("look at", *words, errno);
            continue;
        }
        bool is_directory = S_ISDIR(info.st_mode);
        int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | (is_directory ? O_TMPFILE | O_RDWR : O_WRONLY);
        if (is_directory || S_ISREG(info.st_mode)) {
            int fd = open(*words, flags, 0600);
            tried(is_directory ? "make a file in" : "open for writing", *words, fd);
            if (fd >= 0)
                close(fd);
        }
        long result = syscall(SYS_lremovexattr, *words, "user.sandboxlib-prove");
        if (result == 0 || errno == ENODATA || errno == EOPNOTSUPP)
            got_at("change an attribute of", *words);
        else
            refused("change an attribute of", *words, errno);
    }
}

/* Whether a file has a byte that can be read, or a directory an entry. */
void attack_read(char **words)
{
    for (; *words; words++) {
        int error = content_of(*words);
        if (error == 0)
            got_at("read", *words);
        else
            refused("read", *words, error);
    }
}

/* Whether one of the paths leads to a file in which the first word stands. */
void attack_reach(char **words)
{
    const char *token = *words++;
    for (; *words; words++) {
        int error = holds(*words, token);
        if (error == 0)
            got_at("read", *words);
        else
            refused("read", *words, error);
    }
}

/* Whether a directory, in which something is, could be moved away. The kernel refuses to remove one that is a mount point
 * before it looks whether it is empty, as it refuses to move it. */
void attack_above(char **words)
{
    for (; *words; words++) {
        if (content_of(*words) != 0) {
            refused("move away", *words, ENODATA);
            continue;
        }
        long result = syscall(SYS_unlinkat, AT_FDCWD, *words, AT_REMOVEDIR);
        if (result == 0 || errno == ENOTEMPTY || errno == EEXIST)
            got_at("move away", *words);
        else
            refused("move away", *words, errno);
    }
}

/* Whether a file gets another name in the directory of the first word. The name is taken away again. */
void attack_link(char **words)
{
    char name[PATH_SIZE], text[PATH_SIZE], number[DIGITS];
    const char *directory = *words++;
    joined(name, directory, "/.sandboxlib-prove-", digits(number, (uint64_t)syscall(SYS_getpid)), "");
    for (; *words; words++) {
        if (tried("link", *words, syscall(SYS_linkat, AT_FDCWD, *words, AT_FDCWD, name, 0)))
            unlinkat(AT_FDCWD, name, 0);
        int fd = open(*words, O_PATH | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
            continue;
        joined(text, "/proc/self/fd/", digits(number, (uint64_t)fd), "", "");
        if (tried("link by procfs", *words, syscall(SYS_linkat, AT_FDCWD, text, AT_FDCWD, name, AT_SYMLINK_FOLLOW)))
            unlinkat(AT_FDCWD, name, 0);
        close(fd);
    }
}

/* Makes files, and leaves them there. */
void attack_make(char **words)
{
    for (; *words; words++) {
        int fd = open(*words, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        tried("make", *words, fd);
        if (fd >= 0)
            close(fd);
    }
}

/* Makes files that run with the rights of their owner, in each way that there is, and leaves them there. */
void attack_set_id(char **words)
{
    char name[PATH_SIZE];
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    const char *base = *words;
    int fd = open(joined(name, base, "-chmod", "", ""), flags, 0700);
    if (tried("make", name, fd))
        tried("fchmod", name, syscall(SYS_fchmod, fd, 04755));
    fd = open(joined(name, base, "-open", "", ""), flags, 04755);
    tried("open", name, fd);
    tried("mknod", joined(name, base, "-mknod", "", ""), mknodat(AT_FDCWD, name, S_IFREG | 04755, 0));
    struct open_how how = {.flags = (uint64_t)flags, .mode = 04755};
    tried("openat2", joined(name, base, "-openat2", "", ""),
          syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof how));
}

/* Makes a node for the null device of the kernel, and opens it. It is taken away again. */
void attack_node(char **words)
{
    const char *name = *words;
    if (!tried("mknod", name, mknodat(AT_FDCWD, name, S_IFCHR | 0600, makedev(1, 3))))
        return;
    tried("open the node", name, open(name, O_RDWR | O_CLOEXEC));
    unlinkat(AT_FDCWD, name, 0);
}

/* Whether a lock that the host holds is met. With "hold" before the path it is held until standard input ends. */
void attack_lock(char **words)
{
    bool keeps = is_text(words[0], "hold");
    const char *path = words[keeps ? 1 : 0];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return refused("open", path, errno);
    long result = syscall(SYS_flock, fd, LOCK_EX | LOCK_NB);
    if (keeps) {
        say("ready", path);
        wait_for_end();
    } else if (result != 0 && errno == EWOULDBLOCK) {
        got_at("meet a lock of", path);
    } else {
        refused("meet a lock of", path, result == 0 ? ENOENT : errno);
    }
}

/* Which devices of a directory can be opened, beyond those that do no harm. */
void attack_devices(char **words)
{
    static const char *const harmless[] = {"null", "zero",   "full", "random", "urandom", "tty", "ptmx",
                                           "stdin", "stdout", "stderr", "fd", "core", "console"};
    char bytes[32768], path[PATH_SIZE];
    int fd = open(*words, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return refused("open", *words, errno);
    long size = syscall(SYS_getdents64, fd, bytes, sizeof bytes);
    for (long at = 0; at < size; at += *(uint16_t *)(void *)(bytes + at + 16)) {
        const char *name = bytes + at + 19;
        struct stat info;
        bool is_known = false;
        for (size_t index = 0; index < sizeof harmless / sizeof *harmless; index++)
            is_known |= is_text(name, harmless[index]);
        if (is_known || fstatat(fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
            !(S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)))
            continue;
        /* Not a terminal of somebody, of which an open and a close may be noticed. */
        if (major(info.st_rdev) == 4 || major(info.st_rdev) == 5 || major(info.st_rdev) == 10)
            continue;
        int device = openat(fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        tried("open", joined(path, *words, "/", name, ""), device);
        if (device >= 0)
            close(device);
    }
    refused("open", *words, ENOENT);
}

/* Gives each path the mode that it has: the kernel notes the time. */
void attack_change(char **words)
{
    for (; *words; words++) {
        struct stat info;
        if (fstatat(AT_FDCWD, *words, &info, 0) != 0)
            refused("look at", *words, errno);
        else
            tried("chmod", *words, syscall(SYS_fchmodat, AT_FDCWD, *words, info.st_mode & 07777));
    }
}

/* A file by the handle that the file system knows it by. */
struct handle {
    uint32_t size;
    int32_t type;
    uint8_t bytes[128];
};

void attack_handle(char **words)
{
    static const char hex[] = "0123456789abcdef";
    struct handle handle = {.size = sizeof handle.bytes};
    char text[2 * sizeof handle.bytes + 1];
    int mount;
    if (syscall(SYS_name_to_handle_at, AT_FDCWD, *words, &handle, &mount, 0) != 0)
        return refused("name_to_handle_at", *words, errno);
    for (size_t index = 0; index < handle.size; index++)
        text[2 * index] = hex[handle.bytes[index] >> 4], text[2 * index + 1] = hex[handle.bytes[index] & 15];
    text[2 * handle.size] = '\0';
    say_number("type", (uint64_t)handle.type);
    say("handle", text);
}

/* Opens a file by its handle, the type and the bytes of which are the first words; the third is what stands in it, and the
 * others lie on the file system. */
void attack_by_handle(char **words)
{
    char text[PATH_SIZE], number[DIGITS];
    struct handle handle = {.type = (int32_t)number_of(words[0])};
    for (const char *at = words[1]; at[0] != '\0' && at[1] != '\0' && handle.size < sizeof handle.bytes; at += 2) {
        int high = at[0] <= '9' ? at[0] - '0' : at[0] - 'a' + 10, low = at[1] <= '9' ? at[1] - '0' : at[1] - 'a' + 10;
        handle.bytes[handle.size++] = (uint8_t)(high << 4 | low);
    }
    for (char **path = words + 3; *path; path++) {
        int mount = open(*path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        long fd = syscall(SYS_open_by_handle_at, mount, &handle, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            refused("open_by_handle_at", *path, errno);
            continue;
        }
        char bytes[64];
        long size = syscall(SYS_read, fd, bytes, sizeof bytes);
        (void)joined(text, "/proc/self/fd/", digits(number, (uint64_t)fd), "", "");
        if (size > 0 && memcmp(bytes, words[2], strlen(words[2])) == 0)
            got_at("open_by_handle_at", *path);
        else
            refused("open_by_handle_at", *path, ESTALE);
    }
}
