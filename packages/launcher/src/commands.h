/* The commands of a session that have not ended. */
#ifndef SANDBOXLIB_COMMANDS_H
#define SANDBOXLIB_COMMANDS_H

#include <poll.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "frame.h"
#include "handover.h"
#include "init.h"

enum { MOST_COMMANDS = 1024 };

/* Takes the frame over, a `C`. The command starts when what the courier brings for it is there. */
void accept_command(const struct sandbox *sandbox, struct frame *frame);
void accept_streams(const struct sandbox *sandbox, const struct handover *streams);
void refuse_streams(const struct sandbox *sandbox, uint32_t id);

/* Those between fork and exec: each has an fd that is closed by the exec. */
nfds_t watch_starting(struct pollfd *watched);
void settle_start(int notes);

void signal_command(uint32_t id, int number);
void end_command(pid_t pid, int status, const struct rusage *usage);

#endif
