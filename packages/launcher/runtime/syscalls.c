/* The system calls that the launcher makes, under the names that a libc gives them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long raw(long number, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
#endif
}

int *__errno_location(void)
{
    static int number;
    return &number;
}

long syscall(long number, ...)
{
    long words[6];
    va_list list;
    va_start(list, number);
    for (int index = 0; index < 6; index++)
        words[index] = va_arg(list, long);
    va_end(list);
    long result = raw(number, words[0], words[1], words[2], words[3], words[4], words[5]);
    if (result >= 0 || result < -4095)
        return result;
    errno = (int)-result;
    return -1;
}

/* A system call with as many arguments as it has; the others are zero. */
#define CALL1(n, a) syscall(n, (long)(a), 0L, 0L, 0L, 0L, 0L)
#define CALL2(n, a, b) syscall(n, (long)(a), (long)(b), 0L, 0L, 0L, 0L)
#define CALL3(n, a, b, c) syscall(n, (long)(a), (long)(b), (long)(c), 0L, 0L, 0L)
#define CALL4(n, a, b, c, d) syscall(n, (long)(a), (long)(b), (long)(c), (long)(d), 0L, 0L)
#define CALL5(n, a, b, c, d, e) syscall(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0L)
#define CALL6(n, a, b, c, d, e, f) \
    syscall(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

void _exit(int status)
{
    CALL1(SYS_exit_group, status);
    /* A filter of system calls forbids it. The kernel kills a process for this, even pid 1 of a pid namespace. */
    __builtin_trap();
}

/* Files. */

int openat(int at, const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    long mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, int) : 0;
    va_end(list);
    return (int)CALL4(SYS_openat, at, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    long mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, int) : 0;
    va_end(list);
    return (int)CALL4(SYS_openat, AT_FDCWD, path, flags, mode);
}

int fcntl(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    long word = va_arg(list, long);
    va_end(list);
    return (int)CALL3(SYS_fcntl, fd, command, word);
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list list;
    va_start(list, request);
    void *word = va_arg(list, void *);
    va_end(list);
    return (int)CALL3(SYS_ioctl, fd, request, word);
}

int dup2(int from, int to)
{
    if (from == to)
        return fcntl(from, F_GETFD, 0L) < 0 ? -1 : to;
    return (int)CALL3(SYS_dup3, from, to, 0);
}

int fstatat(int at, const char *restrict path, struct stat *restrict info, int flags)
{
    return (int)CALL4(SYS_newfstatat, at, path, info, flags);
}

ssize_t readlinkat(int at, const char *restrict path, char *restrict text, size_t size)
{
    return CALL4(SYS_readlinkat, at, path, text, size);
}

int close(int fd) { return (int)CALL1(SYS_close, fd); }
int chdir(const char *path) { return (int)CALL1(SYS_chdir, path); }
int fchdir(int fd) { return (int)CALL1(SYS_fchdir, fd); }
int pipe2(int fds[2], int flags) { return (int)CALL2(SYS_pipe2, fds, flags); }
ssize_t read(int fd, void *to, size_t size) { return CALL3(SYS_read, fd, to, size); }
ssize_t write(int fd, const void *from, size_t size) { return CALL3(SYS_write, fd, from, size); }
mode_t umask(mode_t mask) { return (mode_t)CALL1(SYS_umask, mask); }
int fstat(int fd, struct stat *info) { return (int)CALL2(SYS_fstat, fd, info); }
int statfs(const char *path, struct statfs *info) { return (int)CALL2(SYS_statfs, path, info); }
int fstatfs(int fd, struct statfs *info) { return (int)CALL2(SYS_fstatfs, fd, info); }
int mkdirat(int at, const char *path, mode_t mode) { return (int)CALL3(SYS_mkdirat, at, path, mode); }

int mknodat(int at, const char *path, mode_t mode, dev_t device)
{
    return (int)CALL4(SYS_mknodat, at, path, mode, device);
}

int unlinkat(int at, const char *path, int flags)
{
    return (int)CALL3(SYS_unlinkat, at, path, flags);
}

int symlinkat(const char *text, int at, const char *path)
{
    return (int)CALL3(SYS_symlinkat, text, at, path);
}

/* Memory. */

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    return (void *)CALL6(SYS_mmap, at, size, protection, flags, fd, offset);
}

void *mremap(void *at, size_t size, size_t wanted, int flags, ...)
{
    return (void *)CALL4(SYS_mremap, at, size, wanted, flags);
}

int munmap(void *at, size_t size) { return (int)CALL2(SYS_munmap, at, size); }
int mprotect(void *at, size_t size, int protection) { return (int)CALL3(SYS_mprotect, at, size, protection); }

/* Sockets. */

int socket(int domain, int type, int protocol)
{
    return (int)CALL3(SYS_socket, domain, type, protocol);
}

int socketpair(int domain, int type, int protocol, int fds[2])
{
    return (int)CALL4(SYS_socketpair, domain, type, protocol, fds);
}

int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict size)
{
    return (int)CALL5(SYS_getsockopt, fd, level, option, value, size);
}

ssize_t recv(int fd, void *to, size_t size, int flags)
{
    return CALL6(SYS_recvfrom, fd, to, size, flags, NULL, NULL);
}

ssize_t send(int fd, const void *from, size_t size, int flags)
{
    return CALL6(SYS_sendto, fd, from, size, flags, NULL, 0);
}

int shutdown(int fd, int how) { return (int)CALL2(SYS_shutdown, fd, how); }

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    return CALL3(SYS_recvmsg, fd, message, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return CALL3(SYS_sendmsg, fd, message, flags);
}

/* Processes and their signals. The kernel reads the first eight bytes of a libc's sigset_t. */

enum { SIGNALS_SIZE = 8 };

int prctl(int option, ...)
{
    long words[4];
    va_list list;
    va_start(list, option);
    for (int index = 0; index < 4; index++)
        words[index] = va_arg(list, long);
    va_end(list);
    return (int)CALL5(SYS_prctl, option, words[0], words[1], words[2], words[3]);
}

pid_t fork(void) { return (pid_t)CALL5(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL); }
int unshare(int flags) { return (int)CALL1(SYS_unshare, flags); }
pid_t setsid(void) { return (pid_t)syscall(SYS_setsid); }
int kill(pid_t pid, int signal) { return (int)CALL2(SYS_kill, pid, signal); }

pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
    return (pid_t)CALL4(SYS_wait4, pid, status, options, usage);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    return wait4(pid, status, options, NULL);
}

int poll(struct pollfd *fds, nfds_t count, int milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    return (int)CALL5(SYS_ppoll, fds, count, milliseconds < 0 ? NULL : &time, NULL, 0);
}

int sigemptyset(sigset_t *set)
{
    *set = (sigset_t){0};
    return 0;
}

int sigaddset(sigset_t *set, int signal)
{
    *(uint64_t *)set |= 1ULL << (signal - 1);
    return 0;
}

int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict before)
{
    return (int)CALL4(SYS_rt_sigprocmask, how, set, before, SIGNALS_SIZE);
}

int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info,
                 const struct timespec *restrict time)
{
    return (int)CALL4(SYS_rt_sigtimedwait, set, info, time, SIGNALS_SIZE);
}

int signalfd(int fd, const sigset_t *set, int flags)
{
    return (int)CALL4(SYS_signalfd4, fd, set, SIGNALS_SIZE, flags);
}

/* Takes SIG_DFL and SIG_IGN only: a handler would need a restorer, through which it returns. */
__sighandler_t signal(int number, __sighandler_t handler)
{
    struct {
        __sighandler_t handler;
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } action = {.handler = handler}, before;
    if (CALL4(SYS_rt_sigaction, number, &action, &before, SIGNALS_SIZE) != 0)
        return SIG_ERR;
    return before.handler;
}

/* Ids and names. */

uid_t getuid(void) { return (uid_t)syscall(SYS_getuid); }
gid_t getgid(void) { return (gid_t)syscall(SYS_getgid); }
uid_t geteuid(void) { return (uid_t)syscall(SYS_geteuid); }
gid_t getegid(void) { return (gid_t)syscall(SYS_getegid); }
int setfsuid(uid_t uid) { return (int)CALL1(SYS_setfsuid, uid); }
int setfsgid(gid_t gid) { return (int)CALL1(SYS_setfsgid, gid); }
int setreuid(uid_t real, uid_t effective) { return (int)CALL2(SYS_setreuid, real, effective); }
int setregid(gid_t real, gid_t effective) { return (int)CALL2(SYS_setregid, real, effective); }
int setgroups(size_t count, const gid_t *groups) { return (int)CALL2(SYS_setgroups, count, groups); }
int setresuid(uid_t a, uid_t b, uid_t c) { return (int)CALL3(SYS_setresuid, a, b, c); }
int setresgid(gid_t a, gid_t b, gid_t c) { return (int)CALL3(SYS_setresgid, a, b, c); }
int getresuid(uid_t *a, uid_t *b, uid_t *c) { return (int)CALL3(SYS_getresuid, a, b, c); }
int getresgid(gid_t *a, gid_t *b, gid_t *c) { return (int)CALL3(SYS_getresgid, a, b, c); }
int sethostname(const char *name, size_t size) { return (int)CALL2(SYS_sethostname, name, size); }
int uname(struct utsname *names) { return (int)CALL1(SYS_uname, names); }
int clock_gettime(clockid_t clock, struct timespec *time) { return (int)CALL2(SYS_clock_gettime, clock, time); }
