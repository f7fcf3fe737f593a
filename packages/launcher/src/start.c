#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "handover.h"
#include "parking.h"
#include "program.h"

struct streams {
    int program[3]; /* what the command gets as 0, 1 and 2 */
    int made[3];    /* those of them that are ends of pipes made here */
    struct handover core;
};

static bool open_streams(const struct sandbox *sandbox, const struct command *command,
                         const int brought[3], struct streams *streams);
static bool make_pipe(struct streams *streams, int fd);
static const char *launch(const struct sandbox *sandbox, const struct command *command,
                          struct streams *streams, pid_t *pid, int *notes);

const char *start(const struct sandbox *sandbox, const struct command *command, const int brought[3],
                  pid_t *pid, int *notes)
{
    struct streams streams = {.core.id = command->id};
    memset(streams.made, 0xff, sizeof streams.made);
    memset(streams.core.fds, 0xff, sizeof streams.core.fds);
    const char *failed = "the standard streams";
    if (open_streams(sandbox, command, brought, &streams))
        failed = launch(sandbox, command, &streams, pid, notes);
    int error = errno;
    close_all(streams.made);
    close_all(streams.core.fds);
    errno = error;
    return failed;
}

static bool open_streams(const struct sandbox *sandbox, const struct command *command,
                         const int brought[3], struct streams *streams)
{
    for (int fd = 0; fd < 3; fd++) {
        switch ((enum stream)command->streams[fd]) {
        case STREAM_OWN:
            streams->program[fd] = fd;
            break;
        case STREAM_NULL:
            streams->program[fd] = sandbox->null;
            break;
        case STREAM_PIPE:
            if (!make_pipe(streams, fd))
                return false;
            break;
        case STREAM_OUTPUT:
            streams->program[fd] = 1;
            break;
        case STREAM_COURIER:
            if (brought[fd] < 0) {
                errno = EMFILE;
                return false;
            }
            streams->program[fd] = brought[fd];
            break;
        }
    }
    return true;
}

static bool make_pipe(struct streams *streams, int fd)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    streams->program[fd] = streams->made[fd] = ends[fd == 0 ? 0 : 1];
    streams->core.fds[fd] = ends[fd == 0 ? 1 : 0];
    return true;
}

/* The program starts while the launcher tells core where its ends are. That core knows before the
 * program's end is reported is what the wait is for. */
static const char *launch(const struct sandbox *sandbox, const struct command *command,
                          struct streams *streams, pid_t *pid, int *notes)
{
    int ends[2];
    const int *fds = streams->core.fds;
    bool piped = fds[0] >= 0 || fds[1] >= 0 || fds[2] >= 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return "pipe2";
    if (piped && !park(sandbox->launcher, &streams->core)) {
        close(ends[0]);
        close(ends[1]);
        return "sendmsg";
    }
    pid_t child = fork();
    int error = errno;
    if (child == 0)
        become_command(sandbox, command, streams->program, ends[1]);
    close(ends[1]);
    bool held = !piped || parked(sandbox->launcher);
    if (child < 0) {
        close(ends[0]);
        errno = error;
        return "fork";
    }
    *pid = child;
    *notes = ends[0];
    if (held)
        return NULL;
    kill(child, SIGKILL);
    errno = EMFILE;
    return "the launcher cannot hold more pipes";
}
