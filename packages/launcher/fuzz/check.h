/* Checks, by other means than the parser's, what that promises of everything that it accepts. A broken promise aborts,
 * which is a finding. */
#ifndef SANDBOXLIB_CHECK_H
#define SANDBOXLIB_CHECK_H

#include "plan.h"

void check_setup(const struct setup *setup, const uint8_t *data, size_t size);
void check_command(const struct command *command, uint8_t mode, const uint8_t *data, size_t size);

/* Makes a plan of what lies between its head and its sum, and parses it. Returns what is wrong with it, or NULL. */
const char *check_plan_body(const uint8_t *body, size_t size);

/* Aborts when the promise is broken. */
void expect(bool promise);

#endif
