/* The launchers that the fork server has started, each over a socket of its own that the launcher takes for
 * core's. */
#ifndef SANDBOXLIB_BRANCH_H
#define SANDBOXLIB_BRANCH_H

#include <stdbool.h>

#include "plan.h"

/* Tells core where its ends of the streams are, or why there is no launcher. In the launcher it does not return. */
void begin_branch(const struct order *order);

/* Waits for something to do, hands on what launchers say, and tells core of each that is gone. True when core
 * has something to say. */
bool await_branches(void);

/* What core says to one. A launcher that has ended hears nothing, and takes no harm. */
void write_to_branch(uint32_t id, const struct cursor *bytes);

/* Core hangs up. */
void end_branch(uint32_t id);

/* Core has opened its ends of the streams. */
void let_go_of_streams(uint32_t id);

#endif
