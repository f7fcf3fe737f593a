/* Frames in and out over the socket to core. */
#ifndef SANDBOXLIB_FRAME_H
#define SANDBOXLIB_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Core starts the launcher with these two; the second in a session only. */
enum { CORE_FD = 3, COURIER_FD = 4 };

enum { LARGEST_FRAME = 16 << 20 };

struct frame {
    uint8_t *memory; /* to be freed */
    uint8_t type;
    const uint8_t *payload;
    size_t size;
};

enum frame_read { FRAME_READ, FRAME_END, FRAME_BROKEN };

/* Reads one frame and not a byte more: another process may read the next. */
enum frame_read read_frame(struct frame *frame);

/* The same, into memory for the largest frame; not to be freed. */
enum frame_read read_frame_at(struct frame *frame, uint8_t *memory);

/* Throws away what core sends, until it hangs up; a second at most. */
void wait_for_end(void);

/* What core sent and nobody has read would make the kernel break the connection instead of ending it. */
void drain_frames(void);

void free_frame(struct frame *frame);

/* A frame on its way to core. Out of memory ends the process. */
struct report {
    uint8_t *data;
    size_t size;
    size_t room;
};

void begin_report(struct report *report, uint8_t type);
void add_u8(struct report *report, uint8_t value);
void add_u32(struct report *report, uint32_t value);
void add_u64(struct report *report, uint64_t value);
void add_bytes(struct report *report, const void *bytes, size_t size);
void add_string(struct report *report, const char *text);
void send_report(struct report *report);

#endif
