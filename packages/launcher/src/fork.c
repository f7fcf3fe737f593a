#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fds.h"
#include "launcher.h"
#include "process.h"
#include "sys.h"

static const char *fork_new(const struct launch_request *request, struct forked *forked, struct pipes *pipes);
static _Noreturn void become_launcher(const struct launch_request *request, const struct pipes *pipes, int socket);
static bool take_spare(const struct launch_request *request, struct forked *forked, struct pipes *pipes);
static bool is_alike(const struct launch_request *one, const struct launch_request *other);
static bool is_waiting(int socket);
static void drop_spare(void);

static const volatile uint8_t *kill_flags;

/* What a launcher begins with: the last one, and whether the one before it was alike. */
static struct launch_request last;
static bool repeats;

/* A launcher like the last one that waits for its set-up. */
static struct forked spare;
static struct pipes spare_pipes;

void share_kill_flags(void)
{
    int file = sys_memfd_create("sandboxlib-kill-flags", MFD_CLOEXEC);
    if (file < 0 || syscall(SYS_ftruncate, file, (long)KILL_FLAGS) != 0)
        fail(FAILED_SETUP, errno, "memfd_create");
    void *memory = mmap(NULL, KILL_FLAGS, PROT_READ, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED || dup2(file, KILL_FLAGS_FD) < 0 || fcntl(KILL_FLAGS_FD, F_SETFD, FD_CLOEXEC) != 0)
        fail(FAILED_SETUP, errno, "mmap");
    close(file);
    kill_flags = memory;
}

bool is_forbidden(uint32_t id)
{
    return kill_flags[id % KILL_FLAGS] != 0;
}

const char *fork_launcher(const struct launch_request *request, struct forked *forked)
{
    struct pipes pipes;
    bool found = false;
    if (!request->waits) {
        repeats = is_alike(request, &last);
        last = *request;
        found = take_spare(request, forked, &pipes);
    }
    if (!found && !make_pipes(request->id, request->streams, &pipes))
        return "pipe2";
    /* First, so that core opens its ends meanwhile. */
    const char *failed = store_fds('B', &pipes.core) ? NULL : "realloc";
    if (!found && !failed)
        failed = fork_new(request, forked, &pipes);
    int error = errno;
    if (!found)
        close_fds(pipes.program);
    errno = error;
    return failed;
}

/* Returns the call that failed, with errno, or NULL. */
static const char *fork_new(const struct launch_request *request, struct forked *forked, struct pipes *pipes)
{
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        return "socketpair";
    pid_t pid = fork();
    if (pid == 0)
        become_launcher(request, pipes, sockets[1]);
    int error = errno;
    close(sockets[1]);
    if (pid < 0)
        close(sockets[0]);
    *forked = (struct forked){.pid = pid, .socket = sockets[0]};
    errno = error;
    return pid < 0 ? "fork" : NULL;
}

/* From here on everything is as if core had started this process. */
static void become_launcher(const struct launch_request *request, const struct pipes *pipes, int socket)
{
    if (dup2(socket, CORE_FD) < 0)
        _exit(1);
    for (int fd = 0; fd < 3; fd++)
        if (pipes->program[fd] >= 0 && dup2(pipes->program[fd], fd) < 0)
            fail(FAILED_SETUP, errno, "dup2");
    check_start();
    umask((mode_t)request->umask);
    launch(request->namespaces, kill_flags);
}

void fork_spare(void)
{
    if (!repeats || spare.pid != 0)
        return;
    repeats = false; /* one try */
    if (!make_pipes(0, last.streams, &spare_pipes))
        return;
    if (fork_new(&last, &spare, &spare_pipes)) {
        spare.pid = 0;
        close_fds(spare_pipes.core.fds);
    }
    close_fds(spare_pipes.program);
}

static bool take_spare(const struct launch_request *request, struct forked *forked, struct pipes *pipes)
{
    if (spare.pid == 0)
        return false;
    if (!repeats || !is_waiting(spare.socket)) {
        drop_spare();
        return false;
    }
    *forked = spare;
    *pipes = spare_pipes;
    pipes->core.id = request->id;
    spare.pid = 0;
    return true;
}

static bool is_alike(const struct launch_request *one, const struct launch_request *other)
{
    return one->namespaces == other->namespaces && one->umask == other->umask &&
           memcmp(one->streams, other->streams, sizeof one->streams) == 0;
}

/* One that has failed has said so, and one that was killed has hung up. */
static bool is_waiting(int socket)
{
    char byte;
    return recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void drop_spare(void)
{
    kill(spare.pid, SIGKILL);
    wait_for_end(spare.pid);
    close(spare.socket);
    close_fds(spare_pipes.core.fds);
    spare.pid = 0;
}
