#include <string.h>
#include <unistd.h>

#include "run_plan.h"
#include "sys.h"

enum { LONGEST_MESSAGE = 8192 };

static void make_printable(char *text);

void refuse(const char *subject, const char *what, int error)
{
    const struct planned_error all = {"LAUNCH_FAILED", subject, false, what, error, EXIT_NO_SANDBOX};
    refuse_as(&all);
}

void tell(const char *line)
{
    if (write(STDERR_FILENO, line, strlen(line)) < 0)
        return; /* nobody listens */
}

void refuse_as(const struct planned_error *error)
{
    static const char head[] = "sandboxlib-launcher: ";
    char number[NUMBER], message[LONGEST_MESSAGE], line[LONGEST_MESSAGE + sizeof head];
    const char *const parts[] = {
        error->subject,
        *error->subject ? ": " : "",
        error->what,
        error->error > 0 ? ": errno " : "",
        error->error > 0 ? decimal(number, (uint32_t)error->error) : "",
        NULL,
    };
    join(message, sizeof message, parts);
    make_printable(message);
    const char *const words[] = {head, message, "\n", NULL};
    join(line, sizeof line, words);
    tell(line);
    stop_planned_run();
    write_error(error->code, error->is_field ? error->subject : NULL, message);
    _exit(error->exit_status);
}

/* A name may hold what a terminal would obey. */
static void make_printable(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || (unsigned char)*text > 126)
            *text = '?';
}
