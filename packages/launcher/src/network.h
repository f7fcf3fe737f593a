/* The network of the sandbox: its own loopback, which a new namespace has down. */
#ifndef SANDBOXLIB_NETWORK_H
#define SANDBOXLIB_NETWORK_H

void bring_loopback_up(void);

#endif
