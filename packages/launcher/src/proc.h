/* A /proc that shows the processes of the sandbox and no others. */
#ifndef SANDBOXLIB_PROC_H
#define SANDBOXLIB_PROC_H

void make_proc(int target);

#endif
