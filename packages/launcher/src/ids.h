/* Who the sandbox runs as. */
#ifndef SANDBOXLIB_IDS_H
#define SANDBOXLIB_IDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "plan.h"

/* The launcher gives up its supplementary groups, where it may: a child in a user namespace could
 * not, and they would open files to the program. */
void drop_groups(void);

/* Sources are looked up as the caller; what lives in memory only must belong to the program, since
 * the kernel makes no inodes for an owner that the user namespace does not map. `same`: they are one. Their
 * numbers do not tell, as an id that has none inside looks like another. */
void choose_ids(const struct setup *setup, bool same);
void as_program(void);
void as_caller(void);

/* A file with this owner is the program's. */
bool is_program(uid_t owner);
bool is_program_group(gid_t group);

/* Whether an owner that looks like the program may be anybody: the kernel shows every owner that has no
 * number inside as one and the same, and the program has that number. */
bool looks_like_others(void);

/* For good. */
void become_program(const struct setup *setup);

#endif
