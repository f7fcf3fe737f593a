/* A launcher that the fork server makes of itself. */
#ifndef SANDBOXLIB_FORK_H
#define SANDBOXLIB_FORK_H

#include <sys/types.h>

#include "plan.h"

struct forked {
    pid_t pid;
    int socket;  /* what the launcher takes for core's; -1: it has ended */
    int ends[3]; /* core's ends of the standard streams; -1: none */
    int launchers_socket, program[3]; /* the other ends, until there is a launcher */
};

/* NULL, or the call that failed, with errno; `ends` are to be closed all the same. */
const char *make_streams(const struct order *order, struct forked *forked);

/* The same. In the launcher it does not return. */
const char *fork_launcher(const struct order *order, struct forked *forked);


#endif
