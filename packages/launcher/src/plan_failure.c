#include <errno.h>
#include <sys/resource.h>

#include "run_plan.h"

static struct planned_error error_of(uint8_t kind, int number);
static bool is_of_host(int number);
static const char *limit_named(const char *resource);

/* As core has it. */
void report_planned_failure(const struct frame *frame)
{
    struct cursor failed = cursor_over(frame->payload, frame->size);
    take_u32(&failed);
    const uint8_t kind = take_u8(&failed);
    const int number = (int)take_u32(&failed);
    const char *field = take_string(&failed), *what = take_string(&failed);
    if (!cursor_done(&failed))
        refuse("", "the launcher broke the protocol", 0);
    struct planned_error error = error_of(kind, number);
    if (kind == FAILED_LIMIT) {
        error.subject = limit_named(what);
        error.what = "cannot be set";
    } else {
        error.what = what;
        if (!error.subject)
            error.subject = field;
    }
    error.is_field = *error.subject != '\0';
    refuse_as(&error);
}

static struct planned_error error_of(uint8_t kind, int number)
{
    struct planned_error error = {.code = "LAUNCH_FAILED", .error = number, .exit_status = EXIT_NO_SANDBOX};
    if (kind == FAILED_PATH || kind == FAILED_CWD)
        error.code = "PATH_INVALID";
    else if (kind == FAILED_READBACK)
        error.code = "VERIFY_FAILED";
    else if (kind == FAILED_END)
        error.code = "CLEANUP_FAILED";
    else if (kind == FAILED_EXEC && !is_of_host(number)) {
        error.code = number == ENOENT ? "COMMAND_NOT_FOUND" : "COMMAND_NOT_EXECUTABLE";
        error.exit_status = number == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
    }
    error.subject = kind == FAILED_EXEC ? "command" : kind == FAILED_CWD ? "cwd" : NULL;
    return error;
}

/* Errors of execve(2) that say nothing about the program. */
static bool is_of_host(int number)
{
    return number == ENOMEM || number == EAGAIN || number == EMFILE || number == ENFILE || number == E2BIG;
}

/* The field of the limit with this number. */
static const char *limit_named(const char *resource)
{
    switch (resource[0] - '0') {
    case RLIMIT_CPU:
        return "limits.cpuTime";
    case RLIMIT_FSIZE:
        return "limits.fileSize";
    case RLIMIT_STACK:
        return "limits.stack";
    case RLIMIT_CORE:
        return "limits.coreSize";
    case RLIMIT_NOFILE:
        return "limits.openFiles";
    default:
        return "limits.addressSpace";
    }
}
