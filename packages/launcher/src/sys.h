/* System calls for which not every libc has a function, by their numbers, and small files and numbers as text. Of a
 * libc the launcher needs the headers only. */
#ifndef SANDBOXLIB_SYS_H
#define SANDBOXLIB_SYS_H

#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif
#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

static inline int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
    return (int)syscall(SYS_close_range, first, last, flags);
}

static inline int sys_openat2(int at, const char *path, const struct open_how *how)
{
    return (int)syscall(SYS_openat2, at, path, how, sizeof *how);
}

static inline int sys_open_tree(int at, const char *path, unsigned flags)
{
    return (int)syscall(SYS_open_tree, at, path, flags);
}

static inline int sys_move_mount(int from, const char *from_path, int to, const char *to_path,
                                 unsigned flags)
{
    return (int)syscall(SYS_move_mount, from, from_path, to, to_path, flags);
}

static inline int sys_mount_setattr(int at, const char *path, unsigned flags,
                                    const struct mount_attr *attributes)
{
    return (int)syscall(SYS_mount_setattr, at, path, flags, attributes, sizeof *attributes);
}

static inline int sys_fsopen(const char *type, unsigned flags)
{
    return (int)syscall(SYS_fsopen, type, flags);
}

static inline int sys_fsconfig(int fd, unsigned command, const char *key, const void *value)
{
    return (int)syscall(SYS_fsconfig, fd, command, key, value, 0);
}

static inline int sys_fsmount(int fd, unsigned flags, unsigned attributes)
{
    return (int)syscall(SYS_fsmount, fd, flags, attributes);
}

static inline int sys_make_all_private(void)
{
    return (int)syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static inline int sys_umount_lazily(const char *path)
{
    return (int)syscall(SYS_umount2, path, MNT_DETACH);
}

static inline ssize_t sys_sendfile(int to, int from, size_t size)
{
    return syscall(SYS_sendfile, to, from, NULL, size);
}

static inline int sys_memfd_create(const char *name, unsigned flags)
{
    return (int)syscall(SYS_memfd_create, name, flags);
}

static inline int sys_execveat(int file, char **words, char *const *environment)
{
    return (int)syscall(SYS_execveat, file, "", words, environment, AT_EMPTY_PATH);
}

/* Concatenates the texts, up to a NULL, into `buffer`, and returns that. What does not fit is cut off. */
const char *join(char *buffer, size_t size, const char *const *texts);

/* Room for the digits of a number of 64 bits. */
enum { NUMBER = 24 };

/* Writes the decimal digits into `buffer`, and returns where they start. */
const char *decimal(char buffer[NUMBER], uint64_t number);

/* Writes "/proc/self/fd/N", and returns it. */
enum { FD_PATH = 32 };
const char *fd_path(char buffer[FD_PATH], int fd);

/* False, with errno, when the file does not take all of the text in one write. */
bool write_file(const char *path, const char *text);

/* Reads the first `size` - 1 bytes, and adds a NUL. */
bool read_file(const char *path, char *buffer, size_t size);

/* Writes "WHAT: errno N" to standard error, and exits with 1: for uses of the launcher without a socket to core. */
_Noreturn void exit_with_error(const char *what, int error);

#endif
