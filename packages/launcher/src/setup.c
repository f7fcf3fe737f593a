/* Parses the set-up. */
#include <string.h>

#include "protocol.h"

enum { VERSION = 1, LONGEST_PATH = 4095, LONGEST_HOSTNAME = 64, EXTENT_SIZE = 12, MOST_FILES = 8 };

static const char *parse_head(struct cursor *records, struct setup *setup);
static const char *parse_id_maps(struct cursor *records, struct setup *setup);
static bool parse_map(struct cursor body, struct id_map *map);
static const char *parse_capabilities(struct cursor *records, struct setup *setup);
static const char *parse_hostname(struct cursor *records, struct setup *setup);
static const char *parse_cgroup(struct cursor *records, struct setup *setup);
static bool parse_files(struct cursor *body, struct files *files);
static const char *parse_overlay(struct cursor *records, struct setup *setup);
static const char *parse_filters(struct cursor *records, struct setup *setup);
static bool parse_filter(struct cursor body, struct filter *filter);
static const char *parse_mounts(struct cursor *records, struct setup *setup);
static const char *check_mount(const struct mount *mount);
static bool is_path(const char *text);

const char *parse_setup(const uint8_t *data, size_t size, struct setup *setup)
{
    static const char *(*const parts[])(struct cursor *, struct setup *) = {
        parse_head,   parse_id_maps, parse_capabilities, parse_hostname,
        parse_cgroup, parse_overlay, parse_filters,      parse_mounts,
    };
    *setup = (struct setup){0};
    struct cursor records = cursor_over(data, size);
    for (size_t index = 0; index < sizeof parts / sizeof *parts; index++) {
        const char *wrong = parts[index](&records, setup);
        if (wrong)
            return wrong;
    }
    return NULL;
}

static const char *parse_head(struct cursor *records, struct setup *setup)
{
    struct cursor version = take_record(records, 'V');
    uint32_t number = take_u32(&version);
    if (!cursor_done(&version) || number != VERSION)
        return "the version is not 1";
    struct cursor mode = take_record(records, 'M');
    setup->mode = take_u8(&mode);
    if (!cursor_done(&mode) || setup->mode > MODE_SESSION)
        return "the mode is broken";
    struct cursor namespaces = take_record(records, 'N');
    setup->namespaces = take_u32(&namespaces);
    if (!cursor_done(&namespaces) || !are_namespaces(setup->namespaces))
        return "the namespaces are broken";
    struct cursor ids = take_record(records, 'I');
    setup->uid = take_u32(&ids);
    setup->gid = take_u32(&ids);
    if (!cursor_done(&ids) || setup->uid == UINT32_MAX || setup->gid == UINT32_MAX)
        return "the ids are broken";
    struct cursor root = take_record(records, 'R');
    setup->root_flags = take_u8(&root);
    setup->root = take_string(&root);
    if (!cursor_done(&root) || (setup->root_flags & ~READ_ONLY) != 0 || !is_path(setup->root))
        return "the root is broken";
    return NULL;
}

bool are_namespaces(uint64_t bits)
{
    return bits <= (ALL_NAMESPACES | NESTING) && (!(bits & NESTING) || bits & NAMESPACE_USER);
}

static const char *parse_id_maps(struct cursor *records, struct setup *setup)
{
    if (!next_is(records, 'U'))
        return NULL;
    bool whole = parse_map(take_record(records, 'U'), &setup->uids) &&
                 parse_map(take_record(records, 'G'), &setup->gids);
    if (!whole || !(setup->namespaces & NAMESPACE_USER))
        return "the id maps are broken";
    return NULL;
}

static bool parse_map(struct cursor body, struct id_map *map)
{
    map->tool = take_string(&body);
    map->count = (uint32_t)(body.left / EXTENT_SIZE);
    map->extents = body;
    if (body.broken || body.left % EXTENT_SIZE != 0 || map->count == 0 || map->count > MOST_EXTENTS)
        return false;
    for (uint32_t index = 0; index < map->count; index++) {
        struct extent extent = extent_at(map, index);
        if (extent.count == 0 || extent.inside > UINT32_MAX - extent.count ||
            extent.outside > UINT32_MAX - extent.count)
            return false;
    }
    return *map->tool == '\0' || *map->tool == '/';
}

struct extent extent_at(const struct id_map *map, uint32_t index)
{
    if (map->extents.left == 0)
        return map->one;
    struct cursor cursor = map->extents;
    take_bytes(&cursor, (size_t)index * EXTENT_SIZE);
    uint32_t inside = take_u32(&cursor);
    uint32_t outside = take_u32(&cursor);
    return (struct extent){inside, outside, take_u32(&cursor)};
}

/* In a user namespace of its own the program has none, and only root's program has them without asking for them. */
static const char *parse_capabilities(struct cursor *records, struct setup *setup)
{
    if (!next_is(records, 'K'))
        return NULL;
    struct cursor body = take_record(records, 'K');
    setup->capabilities = take_u64(&body);
    if (!cursor_done(&body) || setup->capabilities == 0 || (setup->capabilities & ~KEEPABLE_CAPABILITIES) != 0 ||
        setup->uid != 0 || setup->namespaces & NAMESPACE_USER)
        return "the capabilities are broken";
    return NULL;
}

static const char *parse_hostname(struct cursor *records, struct setup *setup)
{
    if (!next_is(records, 'H'))
        return NULL;
    struct cursor body = take_record(records, 'H');
    setup->hostname = take_string(&body);
    if (!cursor_done(&body) || strlen(setup->hostname) > LONGEST_HOSTNAME ||
        !(setup->namespaces & NAMESPACE_UTS))
        return "the host name is broken";
    return NULL;
}

static const char *parse_cgroup(struct cursor *records, struct setup *setup)
{
    struct cgroup *cgroup = &setup->cgroup;
    if (!next_is(records, 'P'))
        return NULL;
    struct cursor body = take_record(records, 'P');
    bool whole = parse_files(&body, &cgroup->procs) && parse_files(&body, &cgroup->tasks);
    if (!whole || !cursor_done(&body) || cgroup->procs.count + cgroup->tasks.count == 0)
        return "the cgroup is broken";
    return NULL;
}

static bool parse_files(struct cursor *body, struct files *files)
{
    files->count = take_u32(body);
    files->names = *body;
    if (files->count > MOST_FILES)
        return false;
    for (uint32_t index = 0; index < files->count; index++) {
        const char *file = take_string(body);
        if (!file || !is_path(file) || file[1] == '\0')
            return false;
    }
    return true;
}

static const char *parse_overlay(struct cursor *records, struct setup *setup)
{
    if (!next_is(records, 'O'))
        return NULL;
    struct cursor body = take_record(records, 'O');
    setup->upper = take_string(&body);
    setup->work = take_string(&body);
    if (!cursor_done(&body))
        return "the overlay is broken";
    if (setup->upper[0] == '\0' && setup->work[0] == '\0')
        return NULL;
    return is_path(setup->upper) && is_path(setup->work) ? NULL : "the overlay is broken";
}

static const char *parse_filters(struct cursor *records, struct setup *setup)
{
    bool whole = (!next_is(records, 'F') || parse_filter(take_record(records, 'F'), &setup->filter)) &&
                 (!next_is(records, 'E') || parse_filter(take_record(records, 'E'), &setup->program_filter));
    return whole ? NULL : "the filter is broken";
}

static bool parse_filter(struct cursor body, struct filter *filter)
{
    size_t count = body.left / INSTRUCTION;
    if (body.broken || body.left % INSTRUCTION != 0 || count < 1 || count > MOST_INSTRUCTIONS)
        return false;
    *filter = (struct filter){body.at, (uint16_t)count};
    return true;
}

static const char *parse_mounts(struct cursor *records, struct setup *setup)
{
    setup->mounts = *records;
    while (records->left > 0) {
        struct mount mount;
        if (!next_mount(records, &mount))
            return "a record is broken";
        const char *wrong = check_mount(&mount);
        if (wrong)
            return wrong;
        setup->mount_count++;
    }
    return NULL;
}

bool next_mount(struct cursor *mounts, struct mount *mount)
{
    if (mounts->left == 0)
        return false;
    struct cursor body = take_record(mounts, 'm');
    mount->type = take_u8(&body);
    mount->flags = take_u8(&body);
    mount->size = take_u64(&body);
    mount->field = take_string(&body);
    mount->source = take_string(&body);
    mount->target = take_string(&body);
    return cursor_done(&body);
}

static const char *check_mount(const struct mount *mount)
{
    int allowed = 0;
    switch (mount->type) {
    case MOUNT_BIND:
        allowed = READ_ONLY | CREATE | DIRECTORY | DEVICES;
        break;
    case MOUNT_TMPFS:
    case MOUNT_PROC:
    case MOUNT_DEV:
        allowed = CREATE | DIRECTORY;
        break;
    case MOUNT_MASK:
    case MOUNT_MIRROR:
        allowed = DIRECTORY;
        break;
    default:
        return "a mount has an unknown type";
    }
    if ((mount->flags & ~allowed) != 0)
        return "a mount has flags that its type has not";
    if (mount->type != MOUNT_BIND && mount->type != MOUNT_MASK && !(mount->flags & DIRECTORY))
        return "a mount that is a directory has a target that is none";
    if (mount->size != 0 && mount->type != MOUNT_TMPFS)
        return "a mount that is no tmpfs has a size";
    bool on_itself = mount->type == MOUNT_BIND && mount->flags == DIRECTORY && !*mount->source;
    if (!on_itself && (mount->type == MOUNT_BIND ? !is_path(mount->source) : *mount->source))
        return "a mount has a broken source";
    if (!is_path(mount->target))
        return "a mount has a broken target";
    if (mount->target[1] == '\0' && mount->type != MOUNT_MIRROR)
        return "a mount that is no mirror has / as its target";
    return NULL;
}

/* Absolute, without an empty component, `.`, `..` or a slash at the end. */
static bool is_path(const char *text)
{
    size_t length = strlen(text);
    if (text[0] != '/' || length > LONGEST_PATH)
        return false;
    if (length == 1)
        return true;
    for (const char *at = text; *at == '/';) {
        const char *name = at + 1;
        size_t size = strcspn(name, "/");
        if (size == 0 || (size <= 2 && strncmp(name, "..", size) == 0))
            return false;
        at = name + size;
    }
    return true;
}
