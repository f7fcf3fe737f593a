/* What is written to a result file, in the form of run-sandbox's: plan_json.c. No system calls. */
#ifndef SANDBOXLIB_PLAN_JSON_H
#define SANDBOXLIB_PLAN_JSON_H

#include "run_plan.h"

/* The caller frees the data. */
struct report result_json(enum planned_outcome outcome, const struct planned_end *end, const struct plan *plan,
                          const struct planned_command *command);

/* `field`: of the config, or NULL. */
struct report error_json(const char *code, const char *field, const char *message);

#endif
