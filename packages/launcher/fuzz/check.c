#include "check.h"

#include <stdlib.h>
#include <string.h>

static void check_filter(const struct filter *filter);
static void check_limits(const struct command *command);
static void check_map(const struct id_map *map);
static void check_mount(const struct mount *mount);
static void check_path(const char *path);
static void check_strings(struct cursor strings, uint32_t count, bool variables);
static void expect_bytes(struct report *report, const uint8_t *data, size_t size);
static bool has(const char *set, int character);
static void encode_setup(struct report *report, const struct setup *setup);
static void encode_command(struct report *report, const struct command *command);
static void encode_root(struct report *report, const struct setup *setup);
static void encode_map(struct report *report, uint8_t tag, const struct id_map *map);
static void encode_hostname(struct report *report, const char *hostname);
static void encode_cgroup(struct report *report, const struct cgroup *cgroup);
static void encode_overlay(struct report *report, const struct setup *setup);
static void encode_filter(struct report *report, uint8_t tag, const struct filter *filter);
static void encode_mount(struct report *report, const struct mount *mount);
static void encode_strings(struct report *report, struct cursor strings, uint32_t count);
static void begin_record(struct report *report, uint8_t tag, size_t size);
static size_t room_for(const char *text);

void check_setup(const struct setup *setup, const uint8_t *data, size_t size)
{
    expect(setup->mode == MODE_RUN || setup->mode == MODE_SESSION);
    expect((setup->namespaces & ~(uint32_t)(ALL_NAMESPACES | NESTING)) == 0);
    expect(!(setup->namespaces & NESTING) || setup->namespaces & NAMESPACE_USER);
    expect(setup->uid != UINT32_MAX && setup->gid != UINT32_MAX);
    expect((setup->root_flags & ~READ_ONLY) == 0);
    check_path(setup->root);
    expect((setup->uids.count > 0) == (setup->gids.count > 0));
    if (setup->uids.count > 0) {
        expect(setup->namespaces & NAMESPACE_USER);
        check_map(&setup->uids);
        check_map(&setup->gids);
    }
    if (setup->capabilities) {
        expect((setup->capabilities & ~KEEPABLE_CAPABILITIES) == 0);
        expect(setup->uid == 0 && !(setup->namespaces & NAMESPACE_USER));
    }
    if (setup->hostname)
        expect((setup->namespaces & NAMESPACE_UTS) && strlen(setup->hostname) <= 64);
    expect(!setup->upper == !setup->work);
    if (setup->upper && (*setup->upper || *setup->work)) {
        check_path(setup->upper);
        check_path(setup->work);
    }
    check_filter(&setup->filter);
    check_filter(&setup->program_filter);
    struct cursor mounts = setup->mounts;
    struct mount mount;
    uint32_t count = 0;
    for (; next_mount(&mounts, &mount); count++)
        check_mount(&mount);
    expect(count == setup->mount_count && cursor_done(&mounts));
    struct report report;
    encode_setup(&report, setup);
    expect_bytes(&report, data, size);
}

static void check_filter(const struct filter *filter)
{
    expect(filter->instructions ? filter->count > 0 : filter->count == 0);
    expect(filter->count <= MOST_INSTRUCTIONS);
}

void check_command(const struct command *command, uint8_t mode, const uint8_t *data, size_t size)
{
    expect(command->id != 0);
    for (int fd = 0; fd < 3; fd++) {
        uint8_t stream = command->streams[fd];
        expect(stream <= STREAM_LARGE);
        expect(stream != STREAM_LARGE || fd == 1);
        expect(stream != STREAM_OUTPUT || fd == 2);
        expect(mode == MODE_SESSION || (stream != STREAM_PIPE && stream != STREAM_SENT));
    }
    expect(command->cwd[0] == '/' && strlen(command->cwd) < size);
    expect(command->argument_count > 0);
    check_strings(command->arguments, command->argument_count, false);
    check_strings(command->variables, command->variable_count, true);
    check_limits(command);
    expect(!command->terminal || mode == MODE_RUN);
    struct report report;
    encode_command(&report, command);
    expect_bytes(&report, data, size);
}

void expect(bool promise)
{
    if (!promise)
        abort();
}

static void check_limits(const struct command *command)
{
    expect(command->limit_count <= MOST_LIMITS);
    for (int index = 0; index < command->limit_count; index++) {
        const struct limit *limit = &command->limits[index];
        expect(limit->resource == 0 || has("\1\3\4\7\11", limit->resource));
        expect(limit->soft <= limit->hard);
        expect(index == 0 || limit[-1].resource < limit->resource);
    }
}

static void check_map(const struct id_map *map)
{
    expect(map->count <= MOST_EXTENTS && (*map->tool == '\0' || *map->tool == '/'));
    for (uint32_t index = 0; index < map->count; index++) {
        struct extent extent = extent_at(map, index);
        expect(extent.count > 0);
        expect((uint64_t)extent.inside + extent.count <= UINT32_MAX);
        expect((uint64_t)extent.outside + extent.count <= UINT32_MAX);
    }
}

static void check_mount(const struct mount *mount)
{
    expect(mount->type != 0 && has("btpdhr", mount->type));
    expect((mount->flags & ~(READ_ONLY | CREATE | DIRECTORY | DEVICES)) == 0);
    if (mount->flags & (READ_ONLY | DEVICES))
        expect(mount->type == MOUNT_BIND);
    if (mount->flags & CREATE)
        expect(has("btpd", mount->type));
    if (!(mount->flags & DIRECTORY))
        expect(has("bh", mount->type));
    if (mount->size)
        expect(mount->type == MOUNT_TMPFS);
    if (mount->type == MOUNT_BIND && (mount->flags != DIRECTORY || *mount->source))
        check_path(mount->source);
    else
        expect(strlen(mount->source) == 0);
    check_path(mount->target);
    if (strcmp(mount->target, "/") == 0)
        expect(mount->type == MOUNT_MIRROR);
}

static void check_path(const char *path)
{
    size_t length = strlen(path);
    expect(length > 0 && length < 4096 && path[0] == '/');
    if (length == 1)
        return;
    expect(path[length - 1] != '/');
    expect(!strstr(path, "//") && !strstr(path, "/./") && !strstr(path, "/../"));
    const char *last = strrchr(path, '/');
    expect(strcmp(last, "/.") != 0 && strcmp(last, "/..") != 0);
}

static void check_strings(struct cursor strings, uint32_t count, bool variables)
{
    char **array = malloc(((size_t)count + 1) * sizeof *array);
    expect(array != NULL);
    list_strings(strings, count, array);
    for (uint32_t index = 0; index < count; index++) {
        expect(array[index] != NULL && strlen(array[index]) < UINT32_MAX);
        if (variables)
            expect(strchr(array[index], '=') > array[index]);
    }
    expect(array[count] == NULL);
    free(array);
}

/* There is only one way to write anything, so equal bytes show that nothing was overlooked or read twice. */
static void expect_bytes(struct report *report, const uint8_t *data, size_t size)
{
    const size_t head = 5;
    expect(report->size == head + size && memcmp(report->data + head, data, size) == 0);
    free(report->data);
}

static bool has(const char *set, int character)
{
    return strchr(set, character) != NULL;
}

/* Puts back together what was parsed. */
static void encode_setup(struct report *report, const struct setup *setup)
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
    if (setup->capabilities) {
        begin_record(report, 'K', 8);
        add_u64(report, setup->capabilities);
    }
    if (setup->hostname)
        encode_hostname(report, setup->hostname);
    if (setup->cgroup.procs.count + setup->cgroup.tasks.count > 0)
        encode_cgroup(report, &setup->cgroup);
    if (setup->upper)
        encode_overlay(report, setup);
    encode_filter(report, 'F', &setup->filter);
    encode_filter(report, 'E', &setup->program_filter);
    struct cursor mounts = setup->mounts;
    struct mount mount;
    while (next_mount(&mounts, &mount))
        encode_mount(report, &mount);
}

static void encode_command(struct report *report, const struct command *command)
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
    /* `left` counts from the first list on, so it lacks the first four bytes of the body. */
    begin_record(report, 'P', 4 + cgroup->procs.names.left);
    encode_strings(report, cgroup->procs.names, cgroup->procs.count);
    encode_strings(report, cgroup->tasks.names, cgroup->tasks.count);
}

static void encode_overlay(struct report *report, const struct setup *setup)
{
    begin_record(report, 'O', room_for(setup->upper) + room_for(setup->work));
    add_string(report, setup->upper);
    add_string(report, setup->work);
}

static void encode_filter(struct report *report, uint8_t tag, const struct filter *filter)
{
    size_t size = (size_t)filter->count * INSTRUCTION;
    if (!filter->instructions)
        return;
    begin_record(report, tag, size);
    add_bytes(report, filter->instructions, size);
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
