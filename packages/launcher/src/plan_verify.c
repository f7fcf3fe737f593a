#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "run_plan.h"
#include "sandbox.h"

static bool are_namespaces_new(struct cursor *ready, uint32_t wanted);
static bool are_mounts_right(struct cursor *ready, const struct setup *setup);

bool is_as_planned(const uint8_t *payload, size_t size, const struct setup *setup)
{
    struct cursor ready = cursor_over(payload, size);
    take_u32(&ready); /* the pid */
    if (!are_namespaces_new(&ready, setup->namespaces))
        return false;
    if ((take_u64(&ready) & ~setup->capabilities) != 0 || take_u8(&ready) != 1)
        return false; /* capabilities, and no_new_privs */
    const bool is_read_only = take_u64(&ready) & ST_RDONLY;
    if (setup->root_flags & READ_ONLY && !is_read_only)
        return false;
    return are_mounts_right(&ready, setup) && cursor_done(&ready);
}

static bool are_namespaces_new(struct cursor *ready, uint32_t wanted)
{
    static const struct {
        const char *file;
        uint32_t bit; /* 0: always new */
    } namespaces[NAMESPACE_COUNT] = {
        {"/proc/self/ns/mnt", 0},
        {"/proc/self/ns/pid", 0},
        {"/proc/self/ns/ipc", NAMESPACE_IPC},
        {"/proc/self/ns/uts", NAMESPACE_UTS},
        {"/proc/self/ns/user", NAMESPACE_USER},
        {"/proc/self/ns/cgroup", NAMESPACE_CGROUP},
        {"/proc/self/ns/net", NAMESPACE_NET},
    };
    for (int index = 0; index < NAMESPACE_COUNT; index++) {
        const uint64_t inode = take_u64(ready);
        struct stat own;
        if (namespaces[index].bit && !(wanted & namespaces[index].bit))
            continue;
        if (fstatat(AT_FDCWD, namespaces[index].file, &own, 0) != 0 || inode == 0 || own.st_ino == inode)
            return false;
    }
    return true;
}

static bool are_mounts_right(struct cursor *ready, const struct setup *setup)
{
    struct cursor mounts = setup->mounts;
    struct mount mount;
    uint32_t count = take_u32(ready);
    while (next_mount(&mounts, &mount)) {
        const char *field = take_string(ready);
        const bool is_read_only = take_u64(ready) & ST_RDONLY;
        const bool has_to_be = mount.type == MOUNT_MASK || mount.type == MOUNT_MIRROR ||
                               (mount.type == MOUNT_BIND && mount.flags & READ_ONLY);
        if (!field || count-- == 0 || strcmp(field, mount.field) != 0 || (has_to_be && !is_read_only))
            return false;
    }
    return count == 0;
}
