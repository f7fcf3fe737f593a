/* A launcher that the fork server makes of itself. */
#ifndef SANDBOXLIB_FORK_H
#define SANDBOXLIB_FORK_H

#include <sys/types.h>

#include "plan.h"

struct forked {
    pid_t pid;
    int socket;  /* what the launcher takes for core's */
    int ends[3]; /* core's ends of the standard streams; -1: none */
    int launchers_socket, program[3]; /* the other ends, until there is a launcher */
};

/* Both of them: NULL, or the call that failed, with errno and everything closed. */
const char *make_streams(const struct order *order, struct forked *forked);

/* In the launcher it does not return. */
const char *fork_launcher(const struct order *order, struct forked *forked);

void close_streams(const struct forked *forked);

#endif
