#include "plan.h"

#include <string.h>

enum { VERSION = 1, LONGEST_PATH = 4095, LONGEST_HOSTNAME = 64 };

static const char *parse_head(struct cursor *records, struct setup *setup);
static const char *parse_hostname(struct cursor *records, struct setup *setup);
static const char *parse_overlay(struct cursor *records, struct setup *setup);
static const char *parse_filter(struct cursor *records, struct setup *setup);
static const char *check_mount(const struct mount *mount);

const char *parse_setup(const uint8_t *data, size_t size, struct setup *setup)
{
    *setup = (struct setup){0};
    struct cursor records = cursor_over(data, size);
    const char *wrong = parse_head(&records, setup);
    if (!wrong)
        wrong = parse_id_maps(&records, setup);
    if (!wrong)
        wrong = parse_hostname(&records, setup);
    if (!wrong)
        wrong = parse_cgroup(&records, setup);
    if (!wrong)
        wrong = parse_overlay(&records, setup);
    if (!wrong)
        wrong = parse_filter(&records, setup);
    if (wrong)
        return wrong;
    setup->mounts = records;
    while (records.left > 0) {
        struct mount mount;
        if (!next_mount(&records, &mount))
            return "a record is broken";
        wrong = check_mount(&mount);
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

struct cursor take_record(struct cursor *records, uint8_t tag)
{
    uint8_t found = take_u8(records);
    uint32_t size = take_u32(records);
    const uint8_t *bytes = take_bytes(records, size);
    struct cursor body = cursor_over(bytes, bytes ? size : 0);
    body.broken = !bytes || found != tag;
    records->broken = body.broken;
    return body;
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
    if (!cursor_done(&namespaces) || setup->namespaces > 31)
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

static const char *parse_hostname(struct cursor *records, struct setup *setup)
{
    if (records->left == 0 || records->at[0] != 'H')
        return NULL;
    struct cursor body = take_record(records, 'H');
    setup->hostname = take_string(&body);
    if (!cursor_done(&body) || strlen(setup->hostname) > LONGEST_HOSTNAME ||
        !(setup->namespaces & NAMESPACE_UTS))
        return "the host name is broken";
    return NULL;
}

static const char *parse_overlay(struct cursor *records, struct setup *setup)
{
    if (records->left == 0 || records->at[0] != 'O')
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

static const char *parse_filter(struct cursor *records, struct setup *setup)
{
    if (records->left == 0 || records->at[0] != 'F')
        return NULL;
    struct cursor body = take_record(records, 'F');
    size_t count = body.left / INSTRUCTION;
    if (body.broken || body.left % INSTRUCTION != 0 || count < 1 || count > MOST_INSTRUCTIONS)
        return "the filter is broken";
    setup->filter = body.at;
    setup->filter_count = (uint16_t)count;
    return NULL;
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
    case MOUNT_HIDE:
    case MOUNT_MIRROR:
        allowed = DIRECTORY;
        break;
    default:
        return "a mount has an unknown type";
    }
    if ((mount->flags & ~allowed) != 0)
        return "a mount has flags that its type has not";
    if (mount->type != MOUNT_BIND && mount->type != MOUNT_HIDE && !(mount->flags & DIRECTORY))
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

bool is_path(const char *text)
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
