#include "encode.h"

#include <stdlib.h>
#include <string.h>

static void encode_root(struct report *report, const struct setup *setup);
static void encode_map(struct report *report, uint8_t tag, const struct id_map *map);
static void encode_hostname(struct report *report, const char *hostname);
static void encode_cgroup(struct report *report, const struct cgroup *cgroup);
static void encode_overlay(struct report *report, const struct setup *setup);
static void encode_mount(struct report *report, const struct mount *mount);
static void encode_strings(struct report *report, struct cursor strings, uint32_t count);
static void begin_record(struct report *report, uint8_t tag, size_t size);
static size_t room_for(const char *text);

void encode_setup(struct report *report, const struct setup *setup)
{
    begin_report(report, 'S');
    begin_record(report, 'V', 4);
    add_u32(report, 1);
    begin_record(report, 'M', 1);
    add_u8(report, setup->mode);
    begin_record(report, 'N', 4);
    add_u32(report, setup->namespaces);
    begin_record(report, 'I', 8);
    add_u32(report, setup->uid);
    add_u32(report, setup->gid);
    encode_root(report, setup);
    if (setup->uids.count > 0) {
        encode_map(report, 'U', &setup->uids);
        encode_map(report, 'G', &setup->gids);
    }
    if (setup->hostname)
        encode_hostname(report, setup->hostname);
    if (setup->cgroup.procs.count + setup->cgroup.tasks.count > 0)
        encode_cgroup(report, &setup->cgroup);
    if (setup->upper)
        encode_overlay(report, setup);
    if (setup->filter) {
        size_t size = (size_t)setup->filter_count * INSTRUCTION;
        begin_record(report, 'F', size);
        add_bytes(report, setup->filter, size);
    }
    struct cursor mounts = setup->mounts;
    struct mount mount;
    while (next_mount(&mounts, &mount))
        encode_mount(report, &mount);
}

void encode_command(struct report *report, const struct command *command)
{
    begin_report(report, 'C');
    add_u32(report, command->id);
    for (int fd = 0; fd < 3; fd++)
        add_u8(report, command->streams[fd]);
    add_string(report, command->cwd);
    encode_strings(report, command->arguments, command->argument_count);
    encode_strings(report, command->variables, command->variable_count);
    for (int index = 0; index < command->limit_count; index++) {
        begin_record(report, 'L', 17);
        add_u8(report, command->limits[index].resource);
        add_u64(report, command->limits[index].soft);
        add_u64(report, command->limits[index].hard);
    }
    if (command->terminal) {
        begin_record(report, 'T', 8);
        add_u32(report, command->columns);
        add_u32(report, command->rows);
    }
}

static void encode_root(struct report *report, const struct setup *setup)
{
    begin_record(report, 'R', 1 + room_for(setup->root));
    add_u8(report, setup->root_flags);
    add_string(report, setup->root);
}

static void encode_map(struct report *report, uint8_t tag, const struct id_map *map)
{
    begin_record(report, tag, room_for(map->tool) + 12 * (size_t)map->count);
    add_string(report, map->tool);
    for (uint32_t index = 0; index < map->count; index++) {
        struct extent extent = extent_at(map, index);
        add_u32(report, extent.inside);
        add_u32(report, extent.outside);
        add_u32(report, extent.count);
    }
}

static void encode_hostname(struct report *report, const char *hostname)
{
    begin_record(report, 'H', room_for(hostname));
    add_string(report, hostname);
}

static void encode_cgroup(struct report *report, const struct cgroup *cgroup)
{
    /* What is left from the first list on is the whole body but its first five bytes. */
    begin_record(report, 'P', 5 + cgroup->procs.names.left);
    add_u8(report, cgroup->namespace);
    encode_strings(report, cgroup->procs.names, cgroup->procs.count);
    encode_strings(report, cgroup->tasks.names, cgroup->tasks.count);
}

static void encode_overlay(struct report *report, const struct setup *setup)
{
    begin_record(report, 'O', room_for(setup->upper) + room_for(setup->work));
    add_string(report, setup->upper);
    add_string(report, setup->work);
}

static void encode_mount(struct report *report, const struct mount *mount)
{
    begin_record(report, 'm',
                 10 + room_for(mount->field) + room_for(mount->source) + room_for(mount->target));
    add_u8(report, mount->type);
    add_u8(report, mount->flags);
    add_u64(report, mount->size);
    add_string(report, mount->field);
    add_string(report, mount->source);
    add_string(report, mount->target);
}

static void encode_strings(struct report *report, struct cursor strings, uint32_t count)
{
    add_u32(report, count);
    for (uint32_t index = 0; index < count; index++)
        add_string(report, take_string(&strings));
}

static void begin_record(struct report *report, uint8_t tag, size_t size)
{
    add_u8(report, tag);
    add_u32(report, (uint32_t)size);
}

static size_t room_for(const char *text)
{
    return 4 + strlen(text) + 1;
}
