#include "limits.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's, whose numbers have 64 bits with every libc. */
struct kernel_limit {
    uint64_t soft, hard;
};

static bool exchange(int resource, const struct kernel_limit *set, struct kernel_limit *found);

int set_limits(const struct command *command)
{
    for (int index = 0; index < command->limit_count; index++) {
        const struct limit *limit = &command->limits[index];
        const struct kernel_limit wanted = {limit->soft, limit->hard};
        struct kernel_limit found;
        if (!exchange(limit->resource, &wanted, NULL) || !exchange(limit->resource, NULL, &found))
            return limit->resource;
        if (found.soft != wanted.soft || found.hard != wanted.hard) {
            errno = 0;
            return limit->resource;
        }
    }
    return -1;
}

static bool exchange(int resource, const struct kernel_limit *set, struct kernel_limit *found)
{
    return syscall(SYS_prlimit64, 0L, (long)resource, set, found) == 0;
}
