#include "fork.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frame.h"
#include "handover.h"
#include "launcher.h"
#include "outcome.h"

static const char *give_up(struct forked *forked, const char *failed);
static void close_launchers_ends(const struct forked *forked);
static _Noreturn void become_launcher(const struct order *order, const struct forked *forked);

const char *make_streams(const struct order *order, struct forked *forked)
{
    int sockets[2];
    forked->socket = -1;
    memset(forked->ends, 0xff, sizeof forked->ends);
    memset(forked->program, 0xff, sizeof forked->program);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        return "socketpair";
    forked->socket = sockets[0];
    forked->launchers_socket = sockets[1];
    for (int fd = 0; fd < 3; fd++) {
        int ends[2];
        if (order->streams[fd] != STREAM_PIPE)
            continue;
        if (pipe2(ends, O_CLOEXEC) != 0)
            return give_up(forked, "pipe2");
        forked->program[fd] = ends[fd == 0 ? 0 : 1];
        forked->ends[fd] = ends[fd == 0 ? 1 : 0];
    }
    return NULL;
}

static const char *give_up(struct forked *forked, const char *failed)
{
    int error = errno;
    close_launchers_ends(forked);
    close(forked->socket);
    forked->socket = -1;
    errno = error;
    return failed;
}

static void close_launchers_ends(const struct forked *forked)
{
    close(forked->launchers_socket);
    close_all(forked->program);
}

const char *fork_launcher(const struct order *order, struct forked *forked)
{
    forked->pid = fork();
    if (forked->pid == 0)
        become_launcher(order, forked);
    if (forked->pid < 0)
        return give_up(forked, "fork");
    close_launchers_ends(forked);
    return NULL;
}

/* From here on everything is as if core had started it. */
static _Noreturn void become_launcher(const struct order *order, const struct forked *forked)
{
    if (dup2(forked->launchers_socket, CORE_FD) < 0)
        _exit(1);
    for (int fd = 0; fd < 3; fd++)
        if (forked->program[fd] >= 0 && dup2(forked->program[fd], fd) < 0)
            fail(FAILED_SETUP, errno, "dup2");
    check_start();
    umask((mode_t)order->umask);
    launch(order->namespaces);
}
