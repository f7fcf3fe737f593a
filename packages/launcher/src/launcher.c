#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include "fds.h"
#include "process.h"
#include "sandbox.h"
#include "sys.h"
#include "terminal.h"

enum watched { CORE, INIT, SIGNALS, SANDBOX, FIXED, WATCHED = FIXED + RELAYED };

static uint8_t *share_memory(void);
static void wait_for_core(pid_t pid, int pidfd);
static size_t read_setup(uint8_t *shared, uint32_t namespaces, struct setup *setup);
static _Noreturn void supervise(enum mode mode, pid_t pid, int pidfd, int sandbox);
static bool receive_pipes(int sandbox);
static void forward_signal(enum mode mode, int number, int sandbox, pid_t pid);
static _Noreturn void finish(enum mode mode, pid_t pid, int sandbox, bool expected);
static void reap_init(pid_t pid, bool expected);

void check_start(void)
{
    static const char text[] = "sandboxlib-launcher is started by @sandboxlib/core, not by hand\n";
    if (!is_socket(CORE_FD)) {
        if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
            _exit(2);
        _exit(2);
    }
    if (sys_close_range(STREAMS_FD + 1, ~0U, 0) != 0 || fcntl(CORE_FD, F_SETFD, FD_CLOEXEC) != 0)
        fail(FAILED_SETUP, errno, "close_range");
}

int open_null(void)
{
    struct stat info;
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STREAMS_FD);
    if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fstat(fd, &info) != 0)
        fail(FAILED_SETUP, errno, "open /dev/null");
    if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 3))
        fail(FAILED_SETUP, ENODEV, "/dev/null is not the null device");
    return fd;
}

/* Pid 1 is started before core has sent the set-up: the kernel takes long for the namespaces, and Node for its ends of
 * the pipes. The launcher reads the set-up into memory that both share. */
void launch(uint32_t namespaces, const volatile uint8_t *kill_flags)
{
    struct sandbox sandbox;
    struct go_ahead go_ahead;
    int link[2], pidfd;
    wait_after_failure(true);
    setsid(); /* fails where it has been done already */
    sandbox.umask = umask(0);
    sandbox.namespaces = namespaces;
    sandbox.kill_flags = kill_flags;
    sandbox.null = open_null();
    sandbox.shared = share_memory();
    drop_groups();
    bool own_user = namespaces & NAMESPACE_USER || !has_capability(CAP_SYS_ADMIN);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) != 0)
        fail(FAILED_SETUP, errno, "socketpair");
    sandbox.launcher = link[1];
    pid_t pid = fork_into_namespaces(namespaces, own_user, &pidfd);
    if (pid == 0)
        init(&sandbox, link[0]);
    close(link[1]);
    read_identity(&go_ahead.identity, pid, namespaces, own_user);
    wait_for_core(pid, pidfd);
    go_ahead.setup_size = read_setup(sandbox.shared, namespaces, &sandbox.setup);
    if (own_user && sandbox.setup.capabilities != 0)
        fail(FAILED_SETUP, EPERM, "capabilities are kept by a caller with CAP_SYS_ADMIN only");
    go_ahead.caller_is_program = own_user ? map_ids(pid, &sandbox.setup)
                                          : sandbox.setup.uid == geteuid() && sandbox.setup.gid == getegid();
    put_into_cgroup(pid, &sandbox.setup.cgroup);
    if (write(link[0], &go_ahead, sizeof go_ahead) != sizeof go_ahead)
        fail(FAILED_SETUP, errno, "write");
    drop_streams(sandbox.null);
    supervise(sandbox.setup.mode, pid, pidfd, link[0]);
}

static uint8_t *share_memory(void)
{
    void *memory = mmap(NULL, LARGEST_FRAME, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        fail(FAILED_SETUP, errno, "mmap");
    return memory;
}

/* A launcher that was started ahead waits for long, and its pid 1 may be killed meanwhile. Who is told at once does not
 * give a run to it. */
static void wait_for_core(pid_t pid, int pidfd)
{
    struct pollfd watched[] = {{.fd = CORE_FD, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
    while (poll(watched, 2, -1) < 0 && errno == EINTR)
        ;
    if (!watched[1].revents)
        return;
    reap_init(pid, false);
    wait_for_hangup();
    _exit(0);
}

/* Returns the size of the payload. */
static size_t read_setup(uint8_t *shared, uint32_t namespaces, struct setup *setup)
{
    struct frame frame;
    enum frame_read got = read_frame_at(&frame, shared);
    if (got == FRAME_END)
        _exit(0);
    if (got == FRAME_BROKEN || frame.type != 'S')
        fail(FAILED_PROTOCOL, 0, "the first frame is no set-up");
    take_setup(frame.payload, frame.size, setup);
    if (setup->namespaces != namespaces)
        fail(FAILED_PROTOCOL, 0, "the namespaces are not those of the start");
    return frame.size;
}

void take_setup(const uint8_t *payload, size_t size, struct setup *setup)
{
    const char *wrong = parse_setup(payload, size, setup);
    if (wrong)
        fail(FAILED_PROTOCOL, 0, wrong);
    if (setup->mode == MODE_RUN)
        close(STREAMS_FD);
    else if (!is_socket(STREAMS_FD) || fcntl(STREAMS_FD, F_SETFD, FD_CLOEXEC) != 0)
        fail(FAILED_PROTOCOL, 0, "fd 4 is not a socket");
}

/* Waits for the end of the sandbox. When pid 1 is killed, the kernel kills every other process of it. The pid of pid 1
 * cannot be reused meanwhile, because only this process reaps it. Of core's socket only the end is watched here: pid 1
 * and the program's process read it. */
static void supervise(enum mode mode, pid_t pid, int pidfd, int sandbox)
{
    struct pollfd watched[WATCHED] = {
        [CORE] = {.fd = CORE_FD, .events = POLLRDHUP},
        [INIT] = {.fd = pidfd, .events = POLLIN},
        [SIGNALS] = {.fd = watch_signals(), .events = POLLIN},
        [SANDBOX] = {.fd = sandbox, .events = POLLIN},
    };
    for (;;) {
        if (poll(watched, WATCHED, watch_relay(watched + FIXED)) < 0 && errno != EINTR) {
            kill(pid, SIGKILL);
            finish(mode, pid, sandbox, false);
        }
        if (watched[INIT].revents)
            finish(mode, pid, sandbox, false);
        if (watched[CORE].revents) {
            kill(pid, SIGKILL);
            finish(mode, pid, sandbox, true);
        }
        if (watched[SIGNALS].revents)
            for (int number; (number = next_signal(watched[SIGNALS].fd)) != 0;)
                forward_signal(mode, number, sandbox, pid);
        if (watched[SANDBOX].revents &&
            !(mode == MODE_SESSION ? receive_pipes(sandbox) : receive_terminal(sandbox)))
            watched[SANDBOX].fd = -1;
        relay();
    }
}

/* Stores core's ends of a command's pipes, or releases them when the message has no fds. False when pid 1 is gone. */
static bool receive_pipes(int sandbox)
{
    struct fd_message message;
    enum received received = receive_fds(sandbox, 0, &message);
    if (received == RECEIVED_NOTHING)
        return false;
    if (received == RECEIVED && message.fds[0] < 0 && message.fds[1] < 0 && message.fds[2] < 0) {
        release_fds(message.id);
        return true;
    }
    uint8_t answer = received == RECEIVED && store_fds('P', &message);
    return write(sandbox, &answer, 1) == 1;
}

/* A signal to the launcher is for the program of a run. A session has no single program, and ends. */
static void forward_signal(enum mode mode, int number, int sandbox, pid_t pid)
{
    const uint8_t byte = (uint8_t)number;
    if (mode == MODE_SESSION || write(sandbox, &byte, 1) != 1)
        kill(pid, SIGKILL);
}

static void finish(enum mode mode, pid_t pid, int sandbox, bool expected)
{
    reap_init(pid, expected);
    if (mode == MODE_RUN)
        finish_relay(sandbox);
    wait_for_hangup(); /* if core sent a signal now and this process were gone, Node would not read the report */
    _exit(0);
}

/* Pid 1 exits with 0 after it has reported. Any other status is reported here, unless it is `expected`, because core has
 * hung up. From outside only SIGKILL can kill it, so the others are those of `_exit`. */
static void reap_init(pid_t pid, bool expected)
{
    int status = wait_for_end(pid);
    if (status == 0 || expected)
        return;
    if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGILL || WTERMSIG(status) == SIGTRAP))
        report_failed(0, FAILED_SETUP, 0, "pid 1 of the sandbox cannot end: its filter of system calls forbids it");
    else
        report_failed(0, FAILED_INIT, status, "pid 1 of the sandbox has died");
}
