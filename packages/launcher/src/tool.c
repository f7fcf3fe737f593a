#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fds.h"
#include "launcher.h"
#include "mount.h"
#include "process.h"
#include "sandbox.h"
#include "sys.h"

/* The ends that a tool gets of its fds, in the order of the request, and core's of those that are pipes. */
struct tool_ends {
    int tool[MOST_TOOL_FDS];
    struct fd_message core;
};

/* What kept a tool from being executed, as its process says it to the server. */
struct tool_error {
    int number;
    char what[32];
};

static const char *make_ends(const struct tool_request *request, struct tool_ends *ends);
static int memory_with(const struct cursor *data);
static const char *fork_it(const struct tool_request *request, const struct pipes *pipes, const struct tool_ends *ends,
                           struct forked_tool *tool);
static _Noreturn void become_tool(const struct tool_request *request, const struct pipes *pipes,
                                  const struct tool_ends *ends, int errors, pid_t server);
static const char *take_streams(const struct tool_request *request, const struct pipes *pipes);
static const char *take_fds(const struct tool_request *request, const struct tool_ends *ends);
static const char *limit_open_files(uint64_t soft);
static const char *execute(const struct tool_request *request);

const char *fork_tool(const struct tool_request *request, struct forked_tool *tool)
{
    struct pipes pipes;
    struct tool_ends ends;
    const char *failed = make_ends(request, &ends);
    if (failed)
        return failed;
    /* First, so that core opens its ends meanwhile. */
    if (!make_pipes(request->id, request->streams, &pipes))
        failed = "pipe2";
    else if (!store_fds('B', &pipes.core))
        failed = "realloc";
    int error = errno;
    if (failed) {
        close_fds(ends.core.fds);
    } else {
        failed = store_fds('R', &ends.core) ? fork_it(request, &pipes, &ends, tool) : "realloc";
        error = errno;
    }
    close_fds(pipes.program);
    for (uint32_t index = 0; index < request->fd_count; index++)
        close(ends.tool[index]);
    errno = error;
    return failed;
}

static const char *make_ends(const struct tool_request *request, struct tool_ends *ends)
{
    int next = 0;
    memset(ends, 0xff, sizeof *ends);
    ends->core.id = request->id;
    for (uint32_t index = 0; index < request->fd_count; index++) {
        const struct tool_fd *fd = &request->fds[index];
        int both[2] = {-1, -1};
        if (fd->kind == TOOL_FD_DATA)
            both[0] = memory_with(&fd->data);
        else if (pipe2(both, O_CLOEXEC) == 0)
            ends->core.fds[next++] = both[fd->kind == TOOL_FD_FROM_CORE ? 1 : 0];
        ends->tool[index] = both[fd->kind == TOOL_FD_TO_CORE ? 1 : 0];
        if (ends->tool[index] >= 0)
            continue;
        int error = errno;
        close_fds(ends->core.fds);
        while (index-- > 0)
            close(ends->tool[index]);
        errno = error;
        return fd->kind == TOOL_FD_DATA ? "memfd_create" : "pipe2";
    }
    return NULL;
}

static int memory_with(const struct cursor *data)
{
    int file = sys_memfd_create("sandboxlib-data", MFD_CLOEXEC);
    if (file < 0)
        return -1;
    if (write(file, data->at, data->left) == (ssize_t)data->left && syscall(SYS_lseek, file, 0, SEEK_SET) == 0)
        return file;
    int error = errno;
    close(file);
    errno = error;
    return -1;
}

static const char *fork_it(const struct tool_request *request, const struct pipes *pipes, const struct tool_ends *ends,
                           struct forked_tool *tool)
{
    struct report report;
    int errors[2];
    if (pipe2(errors, O_CLOEXEC | O_NONBLOCK) != 0)
        return "pipe2";
    const pid_t server = (pid_t)syscall(SYS_getpid);
    long pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &tool->pidfd, NULL, NULL);
    if (pid == 0)
        become_tool(request, pipes, ends, errors[1], server);
    int error = errno;
    close(errors[1]);
    errno = error;
    if (pid < 0) {
        close(errors[0]);
        return "clone";
    }
    tool->pid = (pid_t)pid;
    tool->errors = errors[0];
    begin_report(&report, 'S');
    add_u32(&report, request->id);
    add_u32(&report, (uint32_t)pid);
    send_report(&report);
    return NULL;
}

/* When the server dies, so does the tool: nobody could tell core of its end. */
static void become_tool(const struct tool_request *request, const struct pipes *pipes, const struct tool_ends *ends,
                        int errors, pid_t server)
{
    setsid();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || syscall(SYS_getppid) != server)
        _exit(1);
    drop_groups();
    umask((mode_t)request->umask);
    int high = fcntl(errors, F_DUPFD_CLOEXEC, TOOL_FD_END);
    const char *failed = high < 0 ? "fcntl" : take_streams(request, pipes);
    if (!failed)
        failed = take_fds(request, ends);
    if (!failed && request->read_only_dev)
        failed = protect_dev();
    if (!failed && request->open_files > 0)
        failed = limit_open_files(request->open_files);
    if (!failed)
        failed = execute(request);
    struct tool_error error = {.number = errno};
    strncpy(error.what, failed, sizeof error.what - 1);
    if (write(high, &error, sizeof error) != sizeof error)
        _exit(1);
    _exit(1);
}

static const char *take_streams(const struct tool_request *request, const struct pipes *pipes)
{
    for (int fd = 0; fd < 3; fd++) {
        int end = pipes->program[fd];
        if (request->streams[fd] == STREAM_OUTPUT)
            end = STDOUT_FILENO;
        else if (request->streams[fd] == STREAM_NULL && (end = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0)
            return "open /dev/null";
        if (dup2(end, fd) < 0)
            return "dup2";
    }
    return NULL;
}

/* The numbers of the tool's fds may be those of ours, so that each is taken out of their way before. */
static const char *take_fds(const struct tool_request *request, const struct tool_ends *ends)
{
    int high[MOST_TOOL_FDS];
    for (uint32_t index = 0; index < request->fd_count; index++)
        if ((high[index] = fcntl(ends->tool[index], F_DUPFD_CLOEXEC, TOOL_FD_END)) < 0)
            return "fcntl";
    if (sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
        return "close_range";
    for (uint32_t index = 0; index < request->fd_count; index++)
        if (dup2(high[index], request->fds[index].number) < 0)
            return "dup2";
    return NULL;
}

/* Node raises its own soft limit, which the server has from it, to the hard one. */
static const char *limit_open_files(uint64_t soft)
{
    struct {
        uint64_t soft, hard;
    } limit;
    if (syscall(SYS_prlimit64, 0L, (long)RLIMIT_NOFILE, NULL, &limit) != 0)
        return "prlimit64";
    limit.soft = soft < limit.hard ? soft : limit.hard;
    return syscall(SYS_prlimit64, 0L, (long)RLIMIT_NOFILE, &limit, NULL) == 0 ? NULL : "prlimit64";
}

static const char *execute(const struct tool_request *request)
{
    size_t words = (size_t)request->argument_count + request->variable_count + 2;
    char **arguments = calloc(words, sizeof *arguments);
    if (!arguments)
        return "calloc";
    char **variables = arguments + request->argument_count + 1;
    list_strings(request->arguments, request->argument_count, arguments);
    list_strings(request->variables, request->variable_count, variables);
    restore_signals();
    if (is_forbidden(request->id))
        kill((pid_t)syscall(SYS_getpid), SIGKILL);
    execve(arguments[0], arguments, variables);
    return "execve";
}

void report_tool(uint32_t id, int status, int errors)
{
    struct tool_error error;
    struct report report;
    bool failed = read(errors, &error, sizeof error) == sizeof error;
    close(errors);
    if (failed) {
        report_failed(id, FAILED_EXEC, error.number, error.what);
        return;
    }
    begin_report(&report, 'G');
    add_u32(&report, id);
    add_u32(&report, (uint32_t)status);
    send_report(&report);
}
