#include "program.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "signals.h"
#include "sys.h"

static _Noreturn void give_up(int notes, uint32_t id, enum failure kind, const char *what);

/* Room for what is to come: limits of resources go before the streams, a controlling terminal after
 * setsid, filters of system calls and Landlock right before the exec. */
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
    for (int fd = 0; fd < 3; fd++)
        if (streams[fd] != fd && dup2(streams[fd], fd) < 0)
            give_up(notes, command->id, FAILED_SETUP, "dup2");
    if (sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
        give_up(notes, command->id, FAILED_SETUP, "close_range");
    umask(sandbox->umask);
    if (chdir(command->cwd) != 0)
        give_up(notes, command->id, FAILED_CWD, "chdir");
    environ = variables; /* where execvp looks for PATH too */
    execvp(arguments[0], arguments);
    give_up(notes, command->id, FAILED_EXEC, "execve");
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
