/* System calls that few programs need and many holes were in, and typing into a terminal. */
#include "program.h"

#include <linux/keyctl.h>
#include <sys/ioctl.h>

#ifndef TIOCSTI
#define TIOCSTI 0x5412
#endif
#ifndef TIOCLINUX
#define TIOCLINUX 0x541C
#endif

/* With arguments that the kernel cannot make use of: what forbids a call answers before the call looks at them. */
void attack_calls(char **words)
{
    static const struct {
        const char *name;
        long number;
    } calls[] = {
        {"io_uring_setup", SYS_io_uring_setup},
        {"bpf", SYS_bpf},
        {"perf_event_open", SYS_perf_event_open},
        {"userfaultfd", SYS_userfaultfd},
        {"keyctl", SYS_keyctl},
        {"add_key", SYS_add_key},
        {"request_key", SYS_request_key},
        {"fanotify_init", SYS_fanotify_init},
        {"open_by_handle_at", SYS_open_by_handle_at},
        {"init_module", SYS_init_module},
        {"kexec_load", SYS_kexec_load},
        {"quotactl", SYS_quotactl},
        {"mount_setattr", SYS_mount_setattr},
        {"fsopen", SYS_fsopen},
        {"setns", SYS_setns},
        {"process_vm_readv", SYS_process_vm_readv},
        {"ptrace", SYS_ptrace},
    };
    (void)words;
    for (size_t index = 0; index < sizeof calls / sizeof *calls; index++) {
        errno = 0;
        long result = syscall(calls[index].number, -1L, -1L, -1L, -1L, -1L, -1L);
        bool is_forbidden = result < 0 && (errno == EPERM || errno == ENOSYS || errno == EACCES);
        if (is_forbidden)
            refused("call", calls[index].name, errno);
        else
            got_at("call", calls[index].name);
    }
}

/* Lets the other end of a pseudo-terminal be opened, whose master is standard input. */
void attack_unlock(char **words)
{
    int locked = 0;
    (void)words;
    tried("unlock", "", ioctl(0, TIOCSPTLCK, &locked));
}

static void type(const char *how)
{
    char letter = 't';
    /* Bits that the kernel takes no notice of, and a filter may. */
    static const unsigned long junk[] = {0, 0xdeadbeef00000000UL};
    for (size_t index = 0; index < 2; index++)
        tried(how, index == 0 ? "TIOCSTI" : "TIOCSTI with upper bits",
              syscall(SYS_ioctl, 0, TIOCSTI | junk[index], &letter));
#if defined(__x86_64__)
    /* As a program of 32 bits makes it, whose memory has to lie low. */
    char *low = (char *)syscall(SYS_mmap, NULL, 4096UL, 3, 0x62 /* private, anonymous, below 2 GiB */, -1, 0UL);
    if ((long)low > 0) {
        *low = letter;
        long result;
        __asm__ volatile("int $0x80" : "=a"(result) : "a"(54), "b"(0), "c"(TIOCSTI), "d"(low) : "memory", "r8", "r9", "r10", "r11");
        errno = (int)-result;
        tried(how, "TIOCSTI of 32 bits", result < 0 ? -1 : 0);
    }
#endif
    /* Pastes what was selected, on a console of Linux. */
    char paste = 3;
    tried(how, "TIOCLINUX", syscall(SYS_ioctl, 0, TIOCLINUX, &paste));
}

/* Types into the terminal that standard input is, also after it has become the controlling one. */
void attack_type(char **words)
{
    (void)words;
    type("type");
    syscall(SYS_setsid);
    syscall(SYS_ioctl, 0, TIOCSCTTY, 0);
    type("type into its own");
}
