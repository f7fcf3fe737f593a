#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/capability.h>

#include "cgroup.h"
#include "frame.h"
#include "guard.h"
#include "idmaps.h"
#include "ids.h"
#include "init.h"
#include "namespaces.h"
#include "outcome.h"
#include "privileges.h"
#include "reap.h"
#include "setup.h"
#include "sys.h"

void check_start(void)
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

int open_null(void)
{
    struct stat info;
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= COURIER_FD);
    if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fstat(fd, &info) != 0)
        fail(FAILED_SETUP, errno, "open /dev/null");
    if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 3))
        fail(FAILED_SETUP, ENODEV, "/dev/null is not the null device");
    return fd;
}

void launch(uint32_t namespaces)
{
    struct sandbox sandbox;
    struct go go;
    int link[2], pidfd;
    linger_after_failure(true);
    setsid(); /* fails where it has been done already */
    sandbox.umask = umask(0);
    sandbox.namespaces = namespaces;
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
    read_identity(&go.identity, pid, namespaces, own_user);
    go.setup_size = read_setup(sandbox.shared, namespaces, &sandbox.setup);
    go.caller_is_program = own_user ? map_ids(pid, &sandbox.setup)
                                    : sandbox.setup.uid == geteuid() && sandbox.setup.gid == getegid();
    put_into_cgroup(pid, &sandbox.setup.cgroup);
    if (write(link[0], &go, sizeof go) != sizeof go)
        fail(FAILED_SETUP, errno, "write");
    hold_no_streams(sandbox.null);
    guard(sandbox.setup.mode, pid, pidfd, link[0]);
}

