/* Fuzzes the command, in a run and in a session. A session allows whatever a run does but a terminal. libFuzzer passes
 * a copy of exactly that size, so that ASan finds a read behind it. */
#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct command command;
    bool runs = !parse_command(data, size, MODE_RUN, &command);
    if (runs)
        check_command(&command, MODE_RUN, data, size);
    bool shows = command.terminal;
    bool starts = !parse_command(data, size, MODE_SESSION, &command);
    if (starts)
        check_command(&command, MODE_SESSION, data, size);
    expect(starts || !runs || shows);
    return 0;
}
