#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/capability.h>

#include "courier.h"
#include "frame.h"
#include "guard.h"
#include "idmaps.h"
#include "ids.h"
#include "init.h"
#include "namespaces.h"
#include "outcome.h"
#include "privileges.h"
#include "probe.h"
#include "reap.h"
#include "signals.h"
#include "sys.h"

static void check_start(void);
static bool is_socket(int fd);
static void read_setup(struct setup *setup);
static int open_null(void);

/* The launcher: reads what is to be done, starts pid 1 of the sandbox, and stays outside as its
 * guard. Room for what is to come: cgroups between map_ids and the message that lets pid 1 go on. */
int main(int count, char **words)
{
    struct sandbox sandbox;
    int link[2], pidfd;
    if (count == 3 && strcmp(words[1], "courier") == 0)
        deliver(words[2]);
    if (count == 2 && strcmp(words[1], "probe") == 0)
        probe();
    check_start();
    reset_signals();
    setsid(); /* fails where it has been done already */
    sandbox.umask = umask(0);
    read_setup(&sandbox.setup);
    sandbox.null = open_null();
    drop_groups();
    sandbox.own_user =
        sandbox.setup.namespaces & NAMESPACE_USER || !has_capability(CAP_SYS_ADMIN);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) != 0)
        fail(FAILED_SETUP, errno, "socketpair");
    sandbox.launcher = link[1];
    pid_t pid = fork_into_namespaces(sandbox.setup.namespaces, sandbox.own_user, &pidfd);
    if (pid == 0)
        init(&sandbox, link[0]);
    close(link[1]);
    if (sandbox.own_user)
        map_ids(pid, &sandbox.setup);
    struct identity identity;
    read_identity(&identity, pid);
    if (write(link[0], &identity, sizeof identity) != sizeof identity)
        fail(FAILED_SETUP, errno, "write");
    hold_no_streams(sandbox.null);
    guard(sandbox.setup.mode, pid, pidfd, link[0]);
}

/* Nothing that was left open on the way here is to reach the sandbox. */
static void check_start(void)
{
    static const char text[] = "sandboxlib-launcher is started by @sandboxlib/core, not by hand\n";
    if (!is_socket(CORE_FD)) {
        if (write(2, text, sizeof text - 1) < 0)
            _exit(2);
        _exit(2);
    }
    if (sys_close_range(COURIER_FD + 1, ~0U, 0) != 0 || fcntl(CORE_FD, F_SETFD, FD_CLOEXEC) != 0)
        fail(FAILED_SETUP, errno, "close_range");
}

static bool is_socket(int fd)
{
    int domain, type;
    socklen_t size = sizeof(int);
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

static void read_setup(struct setup *setup)
{
    struct frame frame; /* is never freed: the set-up points into it */
    enum frame_read got = read_frame(&frame);
    if (got == FRAME_END)
        _exit(0);
    if (got == FRAME_BROKEN || frame.type != 'S')
        fail(FAILED_PROTOCOL, 0, "the first frame is no set-up");
    const char *wrong = parse_setup(frame.payload, frame.size, setup);
    if (wrong)
        fail(FAILED_PROTOCOL, 0, wrong);
    if (setup->mode == MODE_RUN)
        close(COURIER_FD);
    else if (!is_socket(COURIER_FD) || fcntl(COURIER_FD, F_SETFD, FD_CLOEXEC) != 0)
        fail(FAILED_PROTOCOL, 0, "fd 4 is not a socket");
}

/* Standard streams that are closed become /dev/null too, so that no other fd takes their places. */
static int open_null(void)
{
    struct stat info;
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd < 3);
    if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fstat(fd, &info) != 0)
        fail(FAILED_SETUP, errno, "open /dev/null");
    if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 3))
        fail(FAILED_SETUP, ENODEV, "/dev/null is not the null device");
    return fd;
}
