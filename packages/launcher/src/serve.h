/* The fork server: starts a launcher for each run, and hands on what core and the launchers say. To fork this
 * small process takes the kernel a tenth of what it takes to fork Node. */
#ifndef SANDBOXLIB_SERVE_H
#define SANDBOXLIB_SERVE_H

_Noreturn void serve(void);

#endif
