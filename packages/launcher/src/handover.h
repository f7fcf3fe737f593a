/* Fds that go from one process to another over a socket, three at most, with a number. */
#ifndef SANDBOXLIB_HANDOVER_H
#define SANDBOXLIB_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

struct handover {
    uint32_t id;
    int fds[3]; /* -1: none */
};

/* false and errno when it could not be sent. Nothing is closed. */
bool hand_over(int socket, const struct handover *handover);

enum taken { TAKEN, TAKEN_NOT_ALL, TAKEN_NOTHING };

/* One handover. TAKEN_NOT_ALL: this process cannot have more fds, `fds` are all -1. TAKEN_NOTHING:
 * the end of the stream, or not what hand_over sends. */
enum taken take_over(int socket, struct handover *handover);

void close_all(const int fds[3]);

#endif
