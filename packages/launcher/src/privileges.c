#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>

#include "sandbox.h"
#include "sys.h"

/* Without this flag, a kernel before 5.16 turns off speculation for the program, which slows it down. */
#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW (1UL << 2)
#endif

enum { CAPABILITIES = 64 };

static uint64_t halves(uint32_t low, uint32_t high);
static void get_capabilities(struct __user_cap_data_struct sets[2]);
static void limit_bounding_set(uint64_t kept);
static void set_securebits(uint64_t kept);
static void set_capabilities(uint64_t kept);

bool has_capability(int capability)
{
    struct __user_cap_data_struct sets[2];
    get_capabilities(sets);
    return halves(sets[0].effective, sets[1].effective) >> capability & 1;
}

static void get_capabilities(struct __user_cap_data_struct sets[2])
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    if (syscall(SYS_capget, &header, sets) != 0)
        fail(FAILED_SETUP, errno, "capget");
}

static uint64_t halves(uint32_t low, uint32_t high)
{
    return (uint64_t)high << 32 | low;
}

void keep_capabilities(void)
{
    if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) != 0)
        fail(FAILED_SETUP, errno, "prctl(PR_SET_SECUREBITS)");
}

void leave_keyring(void)
{
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 || errno == ENOSYS)
        return;
    /* Where a filter of system calls refuses keyctl altogether, the program cannot use it either. */
    int error = errno;
    if (error == EPERM && syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 0) < 0 &&
        errno == EPERM)
        return;
    fail(FAILED_SETUP, error, "keyctl(KEYCTL_JOIN_SESSION_KEYRING)");
}

void begin_to_drop(bool own_user)
{
    limit_bounding_set(own_user ? 0 : KEEPABLE_CAPABILITIES);
}

/* The kernel answers EINVAL to the first number that is no capability. */
static void limit_bounding_set(uint64_t kept)
{
    for (unsigned long capability = 0; capability < CAPABILITIES; capability++) {
        if (kept >> capability & 1 || prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0)
            continue;
        if (errno == EINVAL && capability > 0)
            return;
        fail(FAILED_SETUP, errno, "prctl(PR_CAPBSET_DROP)");
    }
}

void drop_privileges(const struct setup *setup)
{
    struct __user_cap_data_struct sets[2];
    get_capabilities(sets);
    const uint64_t kept = setup->capabilities & halves(sets[0].permitted, sets[1].permitted);
    if (!(setup->namespaces & NAMESPACE_USER))
        limit_bounding_set(kept);
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        fail(FAILED_SETUP, errno, "prctl(PR_CAP_AMBIENT)");
    set_securebits(kept);
    set_capabilities(kept);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        fail(FAILED_SETUP, errno, "prctl(PR_SET_NO_NEW_PRIVS)");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        fail(FAILED_SETUP, errno, "prctl(PR_SET_DUMPABLE)");
}

/* Where capabilities are kept, uid 0 means what it does everywhere: an exec keeps them, and a change of the uid drops
 * them. */
static void set_securebits(uint64_t kept)
{
    const unsigned long locked = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                                 SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    if (prctl(PR_SET_SECUREBITS, kept == 0 ? locked : 0UL, 0, 0, 0) != 0)
        fail(FAILED_SETUP, errno, "prctl(PR_SET_SECUREBITS)");
}

/* None is inheritable. */
static void set_capabilities(uint64_t kept)
{
    const uint32_t low = (uint32_t)kept, high = (uint32_t)(kept >> 32);
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct sets[2] = {{.effective = low, .permitted = low},
                                                   {.effective = high, .permitted = high}};
    if (syscall(SYS_capset, &header, sets) != 0)
        fail(FAILED_SETUP, errno, "capset");
}

/* A capability in the ambient set is in the permitted one, too: capabilities(7). */
uint64_t read_capabilities(void)
{
    struct __user_cap_data_struct sets[2];
    get_capabilities(sets);
    uint64_t all = halves(sets[0].effective | sets[0].permitted | sets[0].inheritable,
                          sets[1].effective | sets[1].permitted | sets[1].inheritable);
    for (unsigned long capability = 0; capability < CAPABILITIES; capability++) {
        int bounding = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (bounding < 0)
            break;
        if (bounding > 0)
            all |= 1ULL << capability;
    }
    return all;
}

void die_with_launcher(int launcher)
{
    struct pollfd link = {.fd = launcher, .events = 0};
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
        fail(FAILED_SETUP, errno, "prctl(PR_SET_PDEATHSIG)");
    /* The launcher may have died before that. */
    if (poll(&link, 1, 0) != 0)
        _exit(1);
}

void load_filter(const struct setup *setup)
{
    if (!set_filter(&setup->filter))
        fail(FAILED_SETUP, errno, "seccomp");
    if (setup->filter.instructions && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_FILTER)
        fail(FAILED_READBACK, 0, "no filter of system calls is in force");
}

bool set_filter(const struct filter *filter)
{
    /* The kernel copies the instructions, so they need not be aligned. */
    const struct sock_fprog program = {.len = filter->count,
                                       .filter = (struct sock_filter *)(uintptr_t)filter->instructions};
    return !filter->instructions ||
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0;
}
