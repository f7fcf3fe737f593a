#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "process.h"
#include "sandbox.h"
#include "sys.h"
#include "terminal.h"

/* prlimit(2) has limits of 64 bits, whatever a libc's rlim_t is. */
struct kernel_limit {
    uint64_t soft, hard;
};

/* A length, a type, an id and a number. */
enum { SIGNAL_FRAME = 4 + 1 + 4 + 4 };

/* Four times what the kernel gives a pipe, in bytes. */
enum { LARGE_PIPE = 256 * 1024 };

static void open_streams(const struct sandbox *sandbox, const struct command *command,
                         const int streams[3], int status_fd);
static void handle_early_signals(uint32_t id);
static void signal_self(int number);
static void set_limits(const struct command *command, int status_fd);
static bool exchange_limit(int resource, const struct kernel_limit *set, struct kernel_limit *found);
static _Noreturn void give_up(int status_fd, uint32_t id, enum failure kind, const char *what);

void become_command(const struct sandbox *sandbox, const struct command *command,
                    const int streams[3], int status_fd)
{
    size_t words = (size_t)command->argument_count + command->variable_count + 2;
    char **arguments = calloc(words, sizeof *arguments);
    if (!arguments)
        give_up(status_fd, command->id, FAILED_SETUP, "calloc");
    char **variables = arguments + command->argument_count + 1;
    list_strings(command->arguments, command->argument_count, arguments);
    list_strings(command->variables, command->variable_count, variables);
    restore_signals();
    setsid();
    open_streams(sandbox, command, streams, status_fd);
    if (sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
        give_up(status_fd, command->id, FAILED_SETUP, "close_range");
    set_limits(command, status_fd);
    umask(sandbox->umask);
    if (chdir(command->cwd) != 0)
        give_up(status_fd, command->id, FAILED_CWD, "chdir");
    if (command->alone)
        handle_early_signals(command->id);
    if (sandbox->kill_flags && sandbox->kill_flags[command->id % KILL_FLAGS])
        signal_self(SIGKILL);
    /* It may allow nothing but what the program needs, so nothing else comes after it. */
    if (!set_filter(&sandbox->setup.program_filter))
        give_up(status_fd, command->id, FAILED_SETUP, "seccomp");
    environ = variables; /* where execvp looks for PATH too */
    execvp(arguments[0], arguments);
    give_up(status_fd, command->id, FAILED_EXEC, "execve");
}

/* In a run this process is the only one that reads from core before the exec. A signal that core has sent since the
 * command does to this process what it does by default, so that no program begins whose end was asked for. */
static void handle_early_signals(uint32_t id)
{
    uint8_t head[SIGNAL_FRAME];
    uint32_t command, number;
    for (;;) {
        ssize_t got = recv(CORE_FD, head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
        if (got == 0)
            signal_self(SIGKILL); /* core has hung up, so pid 1 is about to kill everything */
        struct cursor cursor = cursor_over(head, got == sizeof head ? sizeof head : 0);
        if (take_u32(&cursor) != SIGNAL_FRAME - 4 || take_u8(&cursor) != 'K')
            return; /* pid 1 reads other frames */
        if (!parse_signal(cursor.at, cursor.left, &command, &number) || command != id)
            return;
        if (default_action((int)number) == ACTION_STOP)
            return; /* if this process stopped here, nobody would read the SIGCONT for it */
        if (recv(CORE_FD, head, sizeof head, MSG_DONTWAIT) == sizeof head)
            signal_self((int)number);
    }
}

static void signal_self(int number)
{
    kill((pid_t)syscall(SYS_getpid), number);
}

static void open_streams(const struct sandbox *sandbox, const struct command *command,
                         const int streams[3], int status_fd)
{
    int slave = -1;
    const char *failed = NULL;
    if (command->terminal)
        failed = open_terminal(sandbox->launcher, command, streams, &slave);
    if (failed)
        give_up(status_fd, command->id, FAILED_SETUP, failed);
    for (int fd = 0; fd < 3; fd++) {
        int from = slave < 0 ? streams[fd] : slave;
        if (from != fd && dup2(from, fd) < 0)
            give_up(status_fd, command->id, FAILED_SETUP, "dup2");
    }
    /* Where the user has many pipes, the kernel refuses, and it stays as it is. */
    if (command->streams[STDOUT_FILENO] == STREAM_LARGE)
        fcntl(streams[STDOUT_FILENO], F_SETPIPE_SZ, (long)LARGE_PIPE);
}

/* Sets the limits, and reads each of them back. */
static void set_limits(const struct command *command, int status_fd)
{
    for (int index = 0; index < command->limit_count; index++) {
        const struct limit *limit = &command->limits[index];
        const struct kernel_limit wanted = {limit->soft, limit->hard};
        struct kernel_limit found;
        char number[NUMBER];
        if (exchange_limit(limit->resource, &wanted, NULL) && exchange_limit(limit->resource, NULL, &found)) {
            if (found.soft == wanted.soft && found.hard == wanted.hard)
                continue;
            errno = 0;
        }
        give_up(status_fd, command->id, FAILED_LIMIT, decimal(number, limit->resource));
    }
}

static bool exchange_limit(int resource, const struct kernel_limit *set, struct kernel_limit *found)
{
    return syscall(SYS_prlimit64, 0L, (long)resource, set, found) == 0;
}

static void give_up(int status_fd, uint32_t id, enum failure kind, const char *what)
{
    write_status(status_fd, id, true, kind, errno, what);
    _exit(1);
}

void write_status(int status_fd, uint32_t id, bool failed, enum failure kind, int error, const char *what)
{
    struct start_status status = {.id = id, .failed = failed, .kind = kind, .error = error};
    strncpy(status.what, what, sizeof status.what - 1);
    /* The program's own filter may forbid it. An exit would be taken for the program's. */
    if (write(status_fd, &status, sizeof status) != sizeof status)
        __builtin_trap();
}

bool read_status(int status_fd, struct start_status *status)
{
    bool found = false;
    struct start_status next;
    for (;;) {
        ssize_t got = read(status_fd, &next, sizeof next);
        if (got == sizeof next) {
            *status = next;
            found = true;
        } else if (got >= 0 || errno != EINTR) {
            return found;
        }
    }
}
