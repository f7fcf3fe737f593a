#include "readback.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "outcome.h"
#include "privileges.h"

/* The kernel's mark that the flags are filled in; not one of statvfs(3). */
enum { ST_VALID = 0x20 };

static uint64_t wanted_flags(const struct mount *mount);

void check_mounts(struct readback *readback, int root, const struct setup *setup)
{
    struct cursor mounts = setup->mounts;
    struct mount mount;
    struct statfs info;
    uint64_t wanted = ST_NOSUID | (setup->root_flags & READ_ONLY ? ST_RDONLY : 0);
    if (fstatfs(root, &info) != 0)
        fail(FAILED_READBACK, errno, "fstatfs");
    readback->root_flags = (uint64_t)info.f_flags & ~(uint64_t)ST_VALID;
    if ((readback->root_flags & wanted) != wanted)
        fail(FAILED_READBACK, 0, "the root has not the flags that were set");
    /* The kernel makes an overlay read-only where it cannot write to its directories. */
    if (setup->upper && *setup->upper && !(setup->root_flags & READ_ONLY) && readback->root_flags & ST_RDONLY)
        fail(FAILED_SETUP, EROFS, "the overlay cannot be written to");
    readback->mounts = (struct report){0};
    add_u32(&readback->mounts, setup->mount_count);
    while (next_mount(&mounts, &mount)) {
        at_field(mount.field);
        if (statfs(mount.target, &info) != 0)
            fail(FAILED_READBACK, errno, "statfs");
        uint64_t flags = (uint64_t)info.f_flags & ~(uint64_t)ST_VALID;
        if ((flags & wanted_flags(&mount)) != wanted_flags(&mount))
            fail(FAILED_READBACK, 0, "a mount has not the flags that were set");
        add_string(&readback->mounts, mount.field);
        add_u64(&readback->mounts, flags);
    }
    at_field("");
}

static uint64_t wanted_flags(const struct mount *mount)
{
    switch ((enum mount_type)mount->type) {
    case MOUNT_BIND:
        return ST_NOSUID | (mount->flags & DEVICES ? 0 : (uint64_t)ST_NODEV) |
               (mount->flags & READ_ONLY ? (uint64_t)ST_RDONLY : 0);
    case MOUNT_HIDE:
    case MOUNT_MIRROR:
        return ST_NOSUID | ST_NODEV | ST_RDONLY;
    case MOUNT_PROC:
        return ST_NOSUID | ST_NODEV | ST_NOEXEC;
    case MOUNT_TMPFS:
    case MOUNT_DEV:
        break;
    }
    return ST_NOSUID | ST_NODEV;
}

void check_privileges(struct readback *readback)
{
    readback->capabilities = read_capabilities();
    readback->no_new_privs = (uint8_t)prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    if (readback->capabilities != 0)
        fail(FAILED_READBACK, 0, "there are capabilities left");
    if (readback->no_new_privs != 1)
        fail(FAILED_READBACK, 0, "no_new_privs is not set");
}

void report_ready(struct readback *readback)
{
    struct report report;
    begin_report(&report, 'R');
    add_u32(&report, readback->identity.pid);
    for (int index = 0; index < NAMESPACE_COUNT; index++)
        add_u64(&report, readback->identity.inodes[index]);
    add_u64(&report, readback->capabilities);
    add_u8(&report, readback->no_new_privs);
    add_u64(&report, readback->root_flags);
    add_bytes(&report, readback->mounts.data, readback->mounts.size);
    send_report(&report);
}
