/* The end of processes. */
#ifndef SANDBOXLIB_REAP_H
#define SANDBOXLIB_REAP_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

/* Reaps whatever has ended; true when `wanted` was among it. `children`: see watch_children. */
bool reap_until(int children, pid_t wanted, int *status, struct rusage *usage);

/* What wait(2) told of a process may be a stop: any may make its parent its tracer. It goes on then, by
 * itself. */
bool is_end(pid_t pid, int status);

/* Kills every process of the sandbox but this one and waits for them, some seconds at most. */
bool end_all_others(void);

/* The reader of the program's output must see its end when the program ends, whoever else lives. */
void hold_no_streams(int null);

#endif
