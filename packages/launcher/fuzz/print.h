/* What was parsed, as a line of JSON on standard output. Strings are in hexadecimal: they may hold any
 * byte. */
#ifndef SANDBOXLIB_PRINT_H
#define SANDBOXLIB_PRINT_H

#include "plan.h"

void print_wrong(const char *wrong);
void print_setup(const struct setup *setup);
void print_command(const struct command *command);

#endif
