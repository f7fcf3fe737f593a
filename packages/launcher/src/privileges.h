/* What the sandbox may do: in the end nothing. */
#ifndef SANDBOXLIB_PRIVILEGES_H
#define SANDBOXLIB_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* In the effective set of this process. */
bool has_capability(int capability);

/* Capabilities outlive the change of ids, which set-up needs. */
void keep_capabilities(void);

/* The first part of dropping privileges, which needs nothing of what is set up. */
void empty_bounding_set(void);

/* Keys of the caller's session are not the program's. */
void leave_keyring(void);

/* No capability in any set, none to be had by an exec, and no peeking by others of the same uid. */
void drop_privileges(void);

/* The union of the five sets. */
uint64_t read_capabilities(void);

/* Killed with the launcher. Each change of credentials undoes it. `launcher` is a socket whose other
 * end only the launcher holds: if it is dead already, the signal will not come. */
void die_with(int launcher);

#endif
