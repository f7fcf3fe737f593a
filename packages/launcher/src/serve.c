#include "serve.h"

#include <unistd.h>

#include "branch.h"
#include "frame.h"
#include "launcher.h"
#include "namespaces.h"
#include "outcome.h"
#include "plan.h"
#include "reap.h"
#include "signals.h"

static void obey(const struct frame *frame);

/* When core hangs up this process ends, and every launcher finds its socket closed. */
void serve(void)
{
    struct frame frame;
    reset_signals();
    setsid();
    hold_no_streams(open_null());
    read_own_inodes();
    for (;;) {
        if (!await_branches())
            continue;
        if (read_frame(&frame) != FRAME_READ)
            _exit(0);
        obey(&frame);
        free_frame(&frame);
    }
}

static void obey(const struct frame *frame)
{
    struct order order;
    struct cursor bytes;
    uint32_t id;
    if (frame->type == 'L' && parse_order(frame->payload, frame->size, &order))
        begin_branch(&order);
    else if (frame->type == 'D' && parse_down(frame->payload, frame->size, &id, &bytes))
        write_to_branch(id, &bytes);
    else if (frame->type == 'E' && parse_opened(frame->payload, frame->size, &id))
        end_branch(id);
    else if (frame->type == 'O' && parse_opened(frame->payload, frame->size, &id))
        let_go_of_streams(id);
    else
        fail(FAILED_PROTOCOL, 0, "a frame is out of place");
}
