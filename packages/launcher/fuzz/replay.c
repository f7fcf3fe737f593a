/* replay run|session: reads frames on fd 3 as the launcher does, and prints for each a line of JSON:
 * what was parsed, or what is wrong. Ends with the first frame that cannot be read. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "frame.h"
#include "print.h"

static void replay(const struct frame *frame, uint8_t mode);

int main(int argc, char **argv)
{
    uint8_t mode = argc == 2 && strcmp(argv[1], "session") == 0 ? MODE_SESSION : MODE_RUN;
    struct frame frame;
    enum frame_read got;
    while ((got = read_frame(&frame)) == FRAME_READ) {
        replay(&frame, mode);
        free_frame(&frame);
    }
    free_frame(&frame);
    if (got == FRAME_BROKEN)
        print_wrong("a frame is broken");
    return 0;
}

static void replay(const struct frame *frame, uint8_t mode)
{
    if (frame->type == 'S') {
        struct setup setup;
        const char *wrong = parse_setup(frame->payload, frame->size, &setup);
        if (wrong)
            return print_wrong(wrong);
        check_setup(&setup, frame->payload, frame->size);
        print_setup(&setup);
    } else {
        struct command command;
        const char *wrong = parse_command(frame->payload, frame->size, mode, &command);
        if (wrong)
            return print_wrong(wrong);
        check_command(&command, mode, frame->payload, frame->size);
        print_command(&command);
    }
}
