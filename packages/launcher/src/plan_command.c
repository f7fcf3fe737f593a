#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "run_plan.h"

static uint64_t soft_limit(const struct command *command, uint8_t resource);

/* All of it is checked before anything is made. It is put into memory of its size, as `add` would end this process
 * without a word where there is none. */
struct planned_command encode_planned_command(const struct plan *plan, const uint8_t streams[3], char **argv)
{
    size_t room = 64 + strlen(plan->cwd) + plan->arguments.left + plan->variables.left + plan->limits.left;
    uint32_t count = 0;
    for (; argv && argv[count]; count++)
        room += 8 + strlen(argv[count]);
    struct report report = {.data = malloc(room), .room = room};
    if (!report.data || room > LARGEST_FRAME)
        refuse("", "the command is too long", 0);
    add_u32(&report, 0);
    add_u8(&report, 'C');
    add_u32(&report, 1);
    add_bytes(&report, streams, 3);
    add_string(&report, plan->cwd);
    add_u32(&report, argv ? count : plan->argument_count);
    for (uint32_t index = 0; argv && index < count; index++)
        add_string(&report, argv[index]);
    if (!argv)
        add_bytes(&report, plan->arguments.at, plan->arguments.left);
    add_bytes(&report, plan->variables.at, plan->variables.left);
    add_bytes(&report, plan->limits.at, plan->limits.left);
    struct command command;
    const char *wrong = parse_command(report.data + 5, report.size - 5, MODE_RUN, &command);
    if (wrong || command.terminal)
        refuse("the command of the plan", wrong ? wrong : "a terminal of its own takes core", 0);
    return (struct planned_command){
        .frame = report,
        .cpu_seconds = soft_limit(&command, RLIMIT_CPU),
        .file_size = soft_limit(&command, RLIMIT_FSIZE),
    };
}

static uint64_t soft_limit(const struct command *command, uint8_t resource)
{
    for (int index = 0; index < command->limit_count; index++)
        if (command->limits[index].resource == resource)
            return command->limits[index].soft;
    return UINT64_MAX;
}
