/* The launcher's own file. */
#ifndef SANDBOXLIB_SEALED_H
#define SANDBOXLIB_SEALED_H

/* For a session: goes on as a copy in memory that nobody can change. Inside, a command can execute the file that
 * its own process was before, by way of /proc/self/exe, and another of the same uid then gets at that file, on a
 * mount of the host. */
void run_sealed_copy(char **words);

#endif
