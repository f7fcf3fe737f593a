/* Puts back together what was parsed. */
#ifndef SANDBOXLIB_ENCODE_H
#define SANDBOXLIB_ENCODE_H

#include "frame.h"
#include "plan.h"

void encode_setup(struct report *report, const struct setup *setup);
void encode_command(struct report *report, const struct command *command);

#endif
