/* A mirror: shows the entries of the directory that it covers, and has room for more. */
#ifndef SANDBOXLIB_MIRROR_H
#define SANDBOXLIB_MIRROR_H

/* Covers `target`. The caller makes it read-only once everything is in it. */
int make_mirror(int target);

#endif
