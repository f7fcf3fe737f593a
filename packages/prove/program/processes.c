/* Attacks on processes, on what the program inherits, and processes that outlive their run. */
#include "program.h"

#include <linux/kcmp.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/uio.h>

#ifndef PR_SET_PTRACER
#define PR_SET_PTRACER 0x59616d61
#endif

/* A process of the host that says which signals it gets, and lets itself be traced; its secret is the first word. */
void attack_victim(char **words)
{
    sigset_t signals;
    struct signalfd_siginfo info;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    int fd = signalfd(-1, &signals, SFD_CLOEXEC);
    prctl(PR_SET_PTRACER, -1UL, 0, 0, 0);
    say_number("secret", (uint64_t)(uintptr_t)*words);
    struct pollfd fds[] = {{.fd = 0, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
        if (fds[0].revents)
            return;
        if (fds[1].revents && syscall(SYS_read, fd, &info, sizeof info) > 0)
            say_number("signal", info.ssi_signo);
    }
}

/* Sends the process of the first word the signal of the second. */
void attack_signal(char **words)
{
    long pid = (long)number_of(words[0]), signal = (long)number_of(words[1]);
    tried("kill", "", syscall(SYS_kill, pid, signal));
    tried("tgkill", "", syscall(SYS_tgkill, pid, pid, signal));
    long fd = syscall(SYS_pidfd_open, pid, 0);
    if (tried("pidfd_open", "", fd))
        tried("pidfd_send_signal", "", syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0));
}

static bool reads_memory(long pid, uint64_t address, const char *token)
{
    char bytes[64] = "";
    struct iovec here = {bytes, strlen(token)}, there = {(void *)(uintptr_t)address, strlen(token)};
    if (syscall(SYS_process_vm_readv, pid, &here, 1, &there, 1, 0) < 0)
        return false;
    errno = ENODATA;
    return memcmp(bytes, token, strlen(token)) == 0;
}

/* Looks into the process of the first word: the second one is its secret, and the third where that lies. */
void attack_trace(char **words)
{
    static const char *const files[] = {"cmdline", "environ"};
    char path[PATH_SIZE];
    long pid = (long)number_of(words[0]);
    for (size_t index = 0; index < sizeof files / sizeof *files; index++) {
        int error = holds(joined(path, "/proc/", words[0], "/", files[index]), words[1]);
        if (error == 0)
            got_at("read", files[index]);
        else
            refused("read", files[index], error);
    }
    tried("process_vm_readv", "", reads_memory(pid, number_of(words[2]), words[1]) ? 0 : -1);
    long fd = syscall(SYS_pidfd_open, pid, 0);
    tried("pidfd_getfd", "", fd < 0 ? fd : syscall(SYS_pidfd_getfd, fd, 1, 0));
    if (tried("ptrace", "", syscall(SYS_ptrace, PTRACE_SEIZE, pid, 0, 0)))
        syscall(SYS_ptrace, PTRACE_DETACH, pid, 0, 0);
    tried("kcmp", "", syscall(SYS_kcmp, syscall(SYS_getpid), pid, KCMP_FILE, 0, 0));
    struct rlimit limit;
    tried("prlimit", "", syscall(SYS_prlimit64, pid, RLIMIT_CORE, NULL, &limit));
}

/* Reaches into the process with the number 1, which the backend needs. */
void attack_init(char **words)
{
    (void)words;
    if (tried("ptrace", "", syscall(SYS_ptrace, PTRACE_SEIZE, 1, 0, 0)))
        syscall(SYS_ptrace, PTRACE_DETACH, 1, 0, 0);
    tried("open", "/proc/1/mem", open("/proc/1/mem", O_RDWR | O_CLOEXEC));
    tried("open for writing", "/proc/1/exe", open("/proc/1/exe", O_WRONLY | O_CLOEXEC));
    long fd = syscall(SYS_pidfd_open, 1, 0);
    tried("pidfd_getfd", "", fd < 0 ? fd : syscall(SYS_pidfd_getfd, fd, 0, 0));
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    tried("prlimit", "", syscall(SYS_prlimit64, 1, RLIMIT_CORE, NULL, &limit));
}

/* Ends by itself, after a minute at the latest. The words are there to be found by. */
void attack_sleep(char **words)
{
    (void)words;
    sys_sleep(60000);
}

static void sleep_on(const char *program, char **words)
{
    for (int signal = 1; signal < 65; signal++) {
        struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } ignored = {(void *)1, 0, NULL, 0};
        if (signal != SIGKILL && signal != SIGSTOP && signal != SIGCHLD)
            syscall(SYS_rt_sigaction, signal, &ignored, NULL, 8);
    }
    syscall(SYS_close_range, 0, ~0U, 0);
    char *const line[] = {words[0], (char *)(uintptr_t)"sleep", words[1], NULL};
    execve(program, line, environ);
    _exit(1);
}

/* Leaves processes behind that nothing but SIGKILL ends: a child, a daemon, and one in namespaces of its own. The first
 * word is this program, and the second what they can be found by. */
void attack_survive(char **words)
{
    long pid = sys_fork();
    if (pid == 0)
        sleep_on(words[0], words);
    tried("fork", "", pid);
    pid = sys_fork();
    if (pid == 0) {
        syscall(SYS_setsid);
        if (sys_fork() == 0)
            sleep_on(words[0], words);
        _exit(0);
    }
    if (tried("fork a daemon", "", pid))
        syscall(SYS_wait4, pid, NULL, 0, NULL);
    pid = sys_fork();
    if (pid == 0) {
        syscall(SYS_unshare, CLONE_NEWUSER | CLONE_NEWPID);
        syscall(SYS_setsid);
        if (sys_fork() == 0)
            sleep_on(words[0], words);
        _exit(0);
    }
    if (pid > 0)
        syscall(SYS_wait4, pid, NULL, 0, NULL);
    sys_sleep(30); /* so that they have begun */
}

/* Which fds are open beyond the standard streams. */
void attack_fds(char **words)
{
    char path[PATH_SIZE], number[DIGITS], text[PATH_SIZE];
    (void)words;
    for (int fd = 3; fd < 4096; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            continue;
        joined(path, "/proc/self/fd/", digits(number, (uint64_t)fd), "", "");
        ssize_t size = readlinkat(AT_FDCWD, path, text, sizeof text - 1);
        text[size > 0 ? size : 0] = '\0';
        got_at(joined(path, "have fd ", digits(number, (uint64_t)fd), "", ""), text);
    }
    refused("find another", "", EBADF);
}

/* The names of the variables. */
void attack_environment(char **words)
{
    (void)words;
    for (char **variable = environ; *variable; variable++) {
        char name[PATH_SIZE];
        size_t size = 0;
        for (; (*variable)[size] != '\0' && (*variable)[size] != '=' && size + 1 < sizeof name; size++)
            name[size] = (*variable)[size];
        name[size] = '\0';
        say("variable", name);
    }
}

/* The ids that the program has, and whether it can take root's. */
void attack_ids(char **words)
{
    uint32_t groups[256];
    (void)words;
    say_number("uid", (uint64_t)syscall(SYS_geteuid));
    say_number("gid", (uint64_t)syscall(SYS_getegid));
    long count = syscall(SYS_getgroups, 256, groups);
    for (long index = 0; index < count; index++)
        say_number("group", groups[index]);
    tried("setresgid", "", syscall(SYS_setresgid, 0, 0, 0));
    tried("setresuid", "", syscall(SYS_setresuid, 0, 0, 0));
}

/* Which namespaces it is in, as procfs names them. */
void attack_namespaces(char **words)
{
    char path[PATH_SIZE], text[64];
    for (; *words; words++) {
        ssize_t size = readlinkat(AT_FDCWD, joined(path, "/proc/self/ns/", *words, "", ""), text, sizeof text - 1);
        text[size > 0 ? size : 0] = '\0';
        if (size > 0)
            say(*words, text);
    }
}

/* Whether a set-id program could give it more rights than it has. */
void attack_privileges(char **words)
{
    (void)words;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0)
        got("gain rights by a set-id program");
    else
        refused("gain rights by a set-id program", "", EPERM);
}
