/* Fds on their way from one process to another. */
#ifndef SANDBOXLIB_FDS_H
#define SANDBOXLIB_FDS_H

#include <stdbool.h>
#include <stdint.h>

/* What one message over a socket holds: a number, and up to three fds. */
struct fd_message {
    uint32_t id;
    int fds[3]; /* -1: none */
};

/* False, with errno, when it could not be sent. Closes nothing. */
bool send_fds(int socket, const struct fd_message *message);

enum received {
    RECEIVED,
    RECEIVED_WITHOUT_FDS, /* this process cannot have more fds; all of the message's are -1 */
    RECEIVED_NOTHING,     /* the end of the stream, or not what send_fds sends; with MSG_DONTWAIT, no message yet */
};

/* Receives one message. `flags` are those of recvmsg(2). */
enum received receive_fds(int socket, int flags, struct fd_message *message);

void close_fds(const int fds[3]);

/* Pipes for the standard streams of a program. */
struct pipes {
    int program[3];         /* the program's ends, -1 where there is no pipe */
    struct fd_message core; /* the other ends */
};

/* Makes one for each STREAM_PIPE and STREAM_LARGE; `id` is for the message. False, with errno, when it could not make all of them; there
 * are none then. */
bool make_pipes(uint32_t id, const uint8_t streams[3], struct pipes *pipes);

/* Whether it is a Unix stream socket. */
bool is_socket(int fd);

/* The fd store, fd_store.c: holds core's ends of pipes until core has opened them through /proc/PID/fd of this process.
 * Until then the kernel must not give their numbers to other files. */

/* Takes the fds over, and tells core their numbers in a frame of this type. False, with errno, when it cannot hold
 * them; they are closed then. */
bool store_fds(uint8_t type, const struct fd_message *ends);

/* Closes those of this id, if there are any. */
void release_fds(uint32_t id);

#endif
