#include "filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "outcome.h"
#include "sys.h"

/* Without it, a kernel before 5.16 would slow programs down to keep them from speculating. */
#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW (1UL << 2)
#endif

void load_filter(const struct setup *setup)
{
    /* The kernel copies the instructions, wherever they lie. */
    const struct sock_fprog program = {
        .len = setup->filter_count,
        .filter = (struct sock_filter *)(uintptr_t)setup->filter,
    };
    if (!setup->filter)
        return;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) != 0)
        fail(FAILED_SETUP, errno, "seccomp");
    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_FILTER)
        fail(FAILED_READBACK, 0, "no filter of system calls is in force");
}
