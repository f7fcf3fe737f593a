/* replay run|session: reads frames on fd 3 as the launcher does, and prints for each a line of JSON: what was parsed,
 * or what is wrong. Strings are in hexadecimal, because they may hold any byte. Ends with the first frame that cannot
 * be read. What lies between the head and the sum of a plan comes as a frame `P`. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check.h"

static void replay(const struct frame *frame, uint8_t mode);
static void print_wrong(const char *wrong);
static void print_setup(const struct setup *setup);
static void print_command(const struct command *command);
static void print_map(const char *name, const struct id_map *map);
static void print_filter(const char *name, const struct filter *filter);
static void print_mounts(struct cursor mounts);
static void print_strings(struct cursor strings, uint32_t count);
static void print_string(const char *text);

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
    if (frame->type == 'P') {
        const char *wrong = check_plan_body(frame->payload, frame->size);
        if (wrong)
            return print_wrong(wrong);
        printf("{}\n");
        return;
    }
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

static void print_wrong(const char *wrong)
{
    printf("{\"wrong\":\"%s\"}\n", wrong);
}

static void print_setup(const struct setup *setup)
{
    printf("{\"mode\":%u,\"namespaces\":%u,\"uid\":%u,\"gid\":%u,\"rootFlags\":%u,\"root\":",
           setup->mode, setup->namespaces, setup->uid, setup->gid, setup->root_flags);
    print_string(setup->root);
    if (setup->uids.count > 0) {
        print_map("uids", &setup->uids);
        print_map("gids", &setup->gids);
    }
    if (setup->capabilities)
        printf(",\"capabilities\":%" PRIu64, setup->capabilities);
    if (setup->hostname) {
        printf(",\"hostname\":");
        print_string(setup->hostname);
    }
    const struct cgroup *cgroup = &setup->cgroup;
    if (cgroup->procs.count + cgroup->tasks.count > 0) {
        printf(",\"cgroup\":{\"procs\":[");
        print_strings(cgroup->procs.names, cgroup->procs.count);
        printf("],\"tasks\":[");
        print_strings(cgroup->tasks.names, cgroup->tasks.count);
        printf("]}");
    }
    if (setup->upper) {
        printf(",\"upper\":");
        print_string(setup->upper);
        printf(",\"work\":");
        print_string(setup->work);
    }
    print_filter("filter", &setup->filter);
    print_filter("programFilter", &setup->program_filter);
    printf(",\"mounts\":[");
    print_mounts(setup->mounts);
    printf("]}\n");
}

static void print_command(const struct command *command)
{
    const uint8_t *streams = command->streams;
    printf("{\"id\":%u,\"streams\":[%u,%u,%u],\"cwd\":", command->id, streams[0], streams[1],
           streams[2]);
    print_string(command->cwd);
    printf(",\"argv\":[");
    print_strings(command->arguments, command->argument_count);
    printf("],\"env\":[");
    print_strings(command->variables, command->variable_count);
    printf("],\"limits\":[");
    for (int index = 0; index < command->limit_count; index++) {
        const struct limit *limit = &command->limits[index];
        printf("%s[%u,\"%" PRIu64 "\",\"%" PRIu64 "\"]", index > 0 ? "," : "", limit->resource,
               limit->soft, limit->hard);
    }
    printf("]");
    if (command->terminal)
        printf(",\"terminal\":[%u,%u]", command->columns, command->rows);
    printf("}\n");
}

static void print_map(const char *name, const struct id_map *map)
{
    printf(",\"%s\":[", name);
    print_string(map->tool);
    for (uint32_t index = 0; index < map->count; index++) {
        struct extent extent = extent_at(map, index);
        printf(",[%u,%u,%u]", extent.inside, extent.outside, extent.count);
    }
    printf("]");
}

static void print_filter(const char *name, const struct filter *filter)
{
    if (!filter->instructions)
        return;
    printf(",\"%s\":\"", name);
    for (int index = 0; index < filter->count * INSTRUCTION; index++)
        printf("%02x", filter->instructions[index]);
    printf("\"");
}

static void print_mounts(struct cursor mounts)
{
    struct mount mount;
    for (const char *comma = ""; next_mount(&mounts, &mount); comma = ",") {
        printf("%s{\"type\":\"%c\",\"flags\":%u,\"size\":\"%" PRIu64 "\",\"field\":", comma,
               mount.type, mount.flags, mount.size);
        print_string(mount.field);
        printf(",\"source\":");
        print_string(mount.source);
        printf(",\"target\":");
        print_string(mount.target);
        printf("}");
    }
}

static void print_strings(struct cursor strings, uint32_t count)
{
    for (uint32_t index = 0; index < count; index++) {
        printf("%s", index > 0 ? "," : "");
        print_string(take_string(&strings));
    }
}

static void print_string(const char *text)
{
    printf("\"");
    for (; *text; text++)
        printf("%02x", (unsigned char)*text);
    printf("\"");
}
