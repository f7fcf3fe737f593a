/* The launcher as a courier: it hands its own standard streams to the session that waits for them. */
#ifndef SANDBOXLIB_COURIER_H
#define SANDBOXLIB_COURIER_H

_Noreturn void deliver(const char *id);

#endif
