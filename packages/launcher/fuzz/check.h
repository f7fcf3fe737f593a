/* What the parser promises of everything that it accepts, checked by other means than its own. A
 * broken promise aborts, which is a finding. */
#ifndef SANDBOXLIB_CHECK_H
#define SANDBOXLIB_CHECK_H

#include "plan.h"

void check_setup(const struct setup *setup, const uint8_t *data, size_t size);
void check_command(const struct command *command, uint8_t mode, const uint8_t *data, size_t size);

/* Aborts when it is false. */
void expect(bool promise);

#endif
