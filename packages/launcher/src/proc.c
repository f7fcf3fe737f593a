#include "proc.h"

#include <errno.h>
#include <sys/stat.h>

#include "ids.h"
#include "mounting.h"
#include "outcome.h"
#include "sys.h"

static void cover_switches(int proc);

void make_proc(int target)
{
    static const struct option none[] = {{NULL, NULL}};
    int proc = new_filesystem("proc", none,
                              MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    attach(proc, target, "");
    cover_switches(proc);
    close(proc);
}

/* The kernel's switches belong to the host's uid 0. Who is that outside, with any number inside and
 * without a single capability, may write to them as their owner. */
static void cover_switches(int proc)
{
    static const char *const names[] = {"sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi"};
    struct stat info;
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        if (fstatat(proc, names[index], &info, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno == ENOENT)
                continue;
            fail(FAILED_SETUP, errno, "fstatat");
        }
        if (!is_program(info.st_uid))
            continue;
        int tree = clone_tree(proc, names[index]);
        restrict_tree(tree, MOUNT_ATTR_RDONLY);
        attach(tree, proc, names[index]);
        close(tree);
    }
}
