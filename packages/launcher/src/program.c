#include "program.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cursor.h"
#include "frame.h"
#include "limits.h"
#include "signals.h"
#include "sys.h"
#include "terminal.h"
#include "text.h"

/* A length, a type, an id and a number. */
enum { SIGNAL_FRAME = 4 + 1 + 4 + 4 };

static void take_streams(const struct sandbox *sandbox, const struct command *command,
                         const int streams[3], int notes);
static void heed_core(uint32_t id);
static void signal_self(int number);
static void limit(const struct command *command, int notes);
static _Noreturn void give_up(int notes, uint32_t id, enum failure kind, const char *what);

/* Room for what is to come: filters of system calls and Landlock right before the exec. */
void become_command(const struct sandbox *sandbox, const struct command *command,
                    const int streams[3], int notes)
{
    size_t words = (size_t)command->argument_count + command->variable_count + 2;
    char **arguments = calloc(words, sizeof *arguments);
    if (!arguments)
        give_up(notes, command->id, FAILED_SETUP, "calloc");
    char **variables = arguments + command->argument_count + 1;
    list_strings(command->arguments, command->argument_count, arguments);
    list_strings(command->variables, command->variable_count, variables);
    restore_signals();
    setsid();
    take_streams(sandbox, command, streams, notes);
    if (sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
        give_up(notes, command->id, FAILED_SETUP, "close_range");
    limit(command, notes);
    umask(sandbox->umask);
    if (chdir(command->cwd) != 0)
        give_up(notes, command->id, FAILED_CWD, "chdir");
    if (command->alone)
        heed_core(command->id);
    environ = variables; /* where execvp looks for PATH too */
    execvp(arguments[0], arguments);
    give_up(notes, command->id, FAILED_EXEC, "execve");
}

/* In a run, what core has said since the command: this process is the only one that reads from it, and
 * no program begins whose end has been asked for. Signals do what they do to one that has not begun. */
static void heed_core(uint32_t id)
{
    uint8_t head[SIGNAL_FRAME];
    uint32_t command, number;
    for (;;) {
        ssize_t got = recv(CORE_FD, head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
        if (got == 0)
            signal_self(SIGKILL); /* as pid 1 is about to do with everything */
        struct cursor cursor = cursor_over(head, got == sizeof head ? sizeof head : 0);
        if (take_u32(&cursor) != SIGNAL_FRAME - 4 || take_u8(&cursor) != 'K')
            return; /* what else there is waits for pid 1 */
        if (!parse_signal(cursor.at, cursor.left, &command, &number) || command != id)
            return;
        if (default_action((int)number) == ACTION_STOP)
            return; /* who is stopped here could not be told to go on */
        if (recv(CORE_FD, head, sizeof head, MSG_DONTWAIT) == sizeof head)
            signal_self((int)number);
    }
}

static void signal_self(int number)
{
    kill((pid_t)syscall(SYS_getpid), number);
}

static void take_streams(const struct sandbox *sandbox, const struct command *command,
                         const int streams[3], int notes)
{
    int slave = -1;
    const char *failed = NULL;
    if (command->terminal)
        failed = open_terminal(sandbox->launcher, command, streams, &slave);
    if (failed)
        give_up(notes, command->id, FAILED_SETUP, failed);
    for (int fd = 0; fd < 3; fd++) {
        int from = slave < 0 ? streams[fd] : slave;
        if (from != fd && dup2(from, fd) < 0)
            give_up(notes, command->id, FAILED_SETUP, "dup2");
    }
}

static void limit(const struct command *command, int notes)
{
    char number[11];
    int resource = set_limits(command);
    if (resource >= 0)
        give_up(notes, command->id, FAILED_LIMIT, decimal(number, (uint32_t)resource));
}

static void give_up(int notes, uint32_t id, enum failure kind, const char *what)
{
    write_note(notes, id, true, kind, errno, what);
    _exit(1);
}

void write_note(int notes, uint32_t id, bool failed, enum failure kind, int error, const char *what)
{
    struct note note = {.id = id, .failed = failed, .kind = kind, .error = error};
    strncpy(note.what, what, sizeof note.what - 1);
    if (write(notes, &note, sizeof note) != sizeof note)
        _exit(1); /* pid 1 sees a process that ended without a word */
}

bool read_notes(int notes, struct note *note)
{
    bool found = false;
    struct note next;
    for (;;) {
        ssize_t got = read(notes, &next, sizeof next);
        if (got == sizeof next) {
            *note = next;
            found = true;
        } else if (got >= 0 || errno != EINTR) {
            return found;
        }
    }
}
