/* Tries on this host what sandboxes are made of. */
#ifndef SANDBOXLIB_PROBE_H
#define SANDBOXLIB_PROBE_H

/* Writes a line to standard output for each thing that fails: the capability of core that is lost
 * with it, or `base` where no sandbox can be made at all; the call; its errno; with tabs between.
 * Ends with status 0 if sandboxes can be made. */
_Noreturn void probe(void);

#endif
