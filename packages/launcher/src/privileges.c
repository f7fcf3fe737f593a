#include "privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "outcome.h"
#include "sys.h"

enum { CAPABILITIES = 64 };

static uint64_t halves(uint32_t low, uint32_t high);
static void get_capabilities(struct __user_cap_data_struct sets[2]);

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
    /* A filter of system calls refuses keyctl altogether: then the program cannot use it either. */
    int error = errno;
    if (error == EPERM && syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 0) < 0 &&
        errno == EPERM)
        return;
    fail(FAILED_SETUP, error, "keyctl(KEYCTL_JOIN_SESSION_KEYRING)");
}

void drop_privileges(void)
{
    const unsigned long locked = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                                 SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[2] = {0};
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        fail(FAILED_SETUP, errno, "prctl(PR_CAP_AMBIENT)");
    if (prctl(PR_SET_SECUREBITS, locked, 0, 0, 0) != 0)
        fail(FAILED_SETUP, errno, "prctl(PR_SET_SECUREBITS)");
    if (syscall(SYS_capset, &header, none) != 0)
        fail(FAILED_SETUP, errno, "capset");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        fail(FAILED_SETUP, errno, "prctl(PR_SET_NO_NEW_PRIVS)");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        fail(FAILED_SETUP, errno, "prctl(PR_SET_DUMPABLE)");
}

/* EINVAL: the kernel has no capability of that number, nor of a higher one. */
void empty_bounding_set(void)
{
    for (unsigned long capability = 0; capability < CAPABILITIES; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0)
            continue;
        if (errno == EINVAL && capability > 0)
            return;
        fail(FAILED_SETUP, errno, "prctl(PR_CAPBSET_DROP)");
    }
}

/* What is ambient is permitted and inheritable, too: capabilities(7). */
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

void die_with(int launcher)
{
    struct pollfd link = {.fd = launcher, .events = 0};
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
        fail(FAILED_SETUP, errno, "prctl(PR_SET_PDEATHSIG)");
    if (poll(&link, 1, 0) != 0)
        _exit(1);
}
