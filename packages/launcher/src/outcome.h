/* What the launcher tells core: that something failed, or that a command ended. */
#ifndef SANDBOXLIB_OUTCOME_H
#define SANDBOXLIB_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

enum failure {
    FAILED_PROTOCOL = 0,
    FAILED_SETUP = 1,
    FAILED_PATH = 2,
    FAILED_EXEC = 3,
    FAILED_READBACK = 4,
    FAILED_CWD = 5,
    FAILED_END = 6,
    FAILED_INIT = 7,
    FAILED_LIMIT = 8,
};

/* The place in the config that is at work, until the next call: it goes into every `fail`. */
void at_field(const char *field);

/* Reports that the sandbox could not be made, and ends this process; the sandbox ends with it. */
_Noreturn void fail(enum failure kind, int error, const char *what);

/* Whether `fail` waits, a second at most, until core has hung up: what core still writes to a process that
 * is gone would keep it from reading why. Only the launcher does; it has the socket to itself by then. */
void linger_after_failure(bool lingers);

void report_failed(uint32_t id, enum failure kind, int error, const char *what);
void report_exited(uint32_t id, int status, const struct rusage *usage);

#endif
