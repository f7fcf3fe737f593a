#include "print.h"

#include <inttypes.h>
#include <stdio.h>

static void print_map(const char *name, const struct id_map *map);
static void print_mounts(struct cursor mounts);
static void print_strings(struct cursor strings, uint32_t count);
static void print_string(const char *text);

void print_wrong(const char *wrong)
{
    printf("{\"wrong\":\"%s\"}\n", wrong);
}

void print_setup(const struct setup *setup)
{
    printf("{\"mode\":%u,\"namespaces\":%u,\"uid\":%u,\"gid\":%u,\"rootFlags\":%u,\"root\":",
           setup->mode, setup->namespaces, setup->uid, setup->gid, setup->root_flags);
    print_string(setup->root);
    if (setup->uids.count > 0) {
        print_map("uids", &setup->uids);
        print_map("gids", &setup->gids);
    }
    if (setup->hostname) {
        printf(",\"hostname\":");
        print_string(setup->hostname);
    }
    const struct cgroup *cgroup = &setup->cgroup;
    if (cgroup->procs.count + cgroup->tasks.count > 0) {
        printf(",\"cgroup\":{\"namespace\":%u,\"procs\":[", cgroup->namespace);
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
    if (setup->filter) {
        printf(",\"filter\":\"");
        for (int index = 0; index < setup->filter_count * INSTRUCTION; index++)
            printf("%02x", setup->filter[index]);
        printf("\"");
    }
    printf(",\"mounts\":[");
    print_mounts(setup->mounts);
    printf("]}\n");
}

void print_command(const struct command *command)
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
