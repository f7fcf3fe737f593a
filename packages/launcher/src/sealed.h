/* Copies of programs in memory that nobody can change: memfd_create(2), and the seals of fcntl(2). */
#ifndef SANDBOXLIB_SEALED_H
#define SANDBOXLIB_SEALED_H

/* For a session: goes on as a copy of the launcher's own file. Inside, a command can execute the file that its own
 * process was before, by way of /proc/self/exe, and another of the same uid then gets at that file, on a mount of the
 * host. */
void run_sealed_copy(char **words);

/* For another tool that stays visible inside: makes a copy of the program at `path`, writes the number of its fd to
 * standard output, and keeps it open until standard input ends. */
_Noreturn void offer_sealed_copy(const char *path);

#endif
