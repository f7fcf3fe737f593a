#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "launcher.h"
#include "process.h"
#include "sys.h"

struct trial {
    const char *word; /* what is reported when it fails */
    uint32_t namespaces;
    uint8_t mount; /* 0: none */
    const char *target;
};

/* In the place of a mount type: an overlay as the root, which is only tried. */
enum { OVERLAY = 1 };

/* The first one has to succeed. The targets are directories on every host. */
static const struct trial trials[] = {
    {"base", 0, MOUNT_TMPFS, "/dev"},
    {"isolate.user", NAMESPACE_USER, 0, ""},
    {"isolate.ipc", NAMESPACE_IPC, 0, ""},
    {"isolate.uts", NAMESPACE_UTS, 0, ""},
    {"isolate.cgroup", NAMESPACE_CGROUP, 0, ""},
    {"network.none", NAMESPACE_NET, 0, ""},
    {"mount.proc", 0, MOUNT_PROC, "/proc"},
    {"mount.dev", 0, MOUNT_DEV, "/dev"},
    {"root.overlay", 0, OVERLAY, ""},
};
enum { TRIALS = sizeof trials / sizeof *trials };

/* The capabilities that the sandboxes which are tried keep. Where they keep some, no namespace is tried: they have only
 * those that are always new. */
static uint64_t kept_capabilities;

static bool try_all(void);
static void try_nesting(void);
static bool map_own(const char *file, uint32_t id);
static bool try(const char *word, uint32_t namespaces, const struct trial *mounts, int count);
static pid_t start_launcher(uint32_t namespaces);
static void send_setup(uint32_t namespaces, const struct trial *mounts, int count);
static void add_overlay(struct report *setup);
static void add_mount(struct report *setup, const struct trial *trial);
static void add_record(struct report *setup, char tag, struct report *body);
static void report_failure(const char *word, const struct frame *frame);
static void report_line(const char *word, const char *call, uint32_t error);

/* Tries everything at once, which is what nearly every sandbox asks for, and if that fails one thing at a time. */
void probe(bool keeps_capabilities)
{
    uint32_t kept = 0;
    int failed = 0;
    kept_capabilities = keeps_capabilities ? KEEPABLE_CAPABILITIES : 0;
    if (!keeps_capabilities)
        try_nesting();
    if (try_all())
        _exit(0);
    for (int index = 0; index < TRIALS; index++) {
        const struct trial *trial = &trials[index];
        if (keeps_capabilities && trial->namespaces != 0)
            continue;
        if (try(trial->word, kept | trial->namespaces, trial, 1))
            /* With a user namespace, the others belong to that, and what may be mounted depends on it. */
            kept |= trial->namespaces & NAMESPACE_USER;
        else if (failed++ == 0 && index == 0)
            _exit(1);
    }
    _exit(failed == 0 && !try_all());
}

static bool try_all(void)
{
    return try(NULL, kept_capabilities != 0 ? 0 : ALL_NAMESPACES, trials + 1, TRIALS - 1);
}

/* Some hosts let nobody but root make a user namespace, whatever the capabilities are in the one that is there. The
 * kernel makes none for an id that is not mapped. */
static void try_nesting(void)
{
    const uint32_t uid = getuid(), gid = getgid();
    pid_t pid = fork();
    if (pid == 0)
        _exit(unshare(CLONE_NEWUSER) == 0 && write_file("/proc/self/setgroups", "deny") &&
                      map_own("/proc/self/uid_map", uid) && map_own("/proc/self/gid_map", gid) &&
                      unshare(CLONE_NEWUSER) == 0
                  ? 0
                  : errno);
    if (pid < 0)
        _exit(2);
    const int status = wait_for_end(pid);
    if (status != 0)
        report_line("allow.user-namespaces", "unshare", (uint32_t)WEXITSTATUS(status));
}

static bool map_own(const char *file, uint32_t id)
{
    char buffer[NUMBER], text[2 * NUMBER + 4];
    const char *number = decimal(buffer, id);
    const char *const parts[] = {number, " ", number, " 1", NULL};
    return write_file(file, join(text, sizeof text, parts));
}

/* Starts a launcher and sends it a set-up, as core does, but no command. */
static bool try(const char *word, uint32_t namespaces, const struct trial *mounts, int count)
{
    struct frame frame;
    pid_t launcher = start_launcher(namespaces);
    send_setup(namespaces, mounts, count);
    bool ready = read_frame(&frame) == FRAME_READ && frame.type == 'R';
    if (!ready && word)
        report_failure(word, &frame);
    free_frame(&frame);
    close(CORE_FD);
    wait_for_end(launcher);
    return ready;
}

static pid_t start_launcher(uint32_t namespaces)
{
    char number[NUMBER];
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        _exit(2);
    pid_t pid = fork();
    if (pid < 0)
        _exit(2);
    if (dup2(pair[pid == 0], CORE_FD) < 0)
        _exit(2);
    sys_close_range(CORE_FD + 1, ~0U, 0);
    if (pid > 0)
        return pid;
    execl("/proc/self/exe", "sandboxlib-launcher", decimal(number, namespaces), (char *)NULL);
    _exit(2);
}

static void send_setup(uint32_t namespaces, const struct trial *mounts, int count)
{
    static const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct report setup, body = {0};
    begin_report(&setup, 'S');
    add_u32(&body, 1);
    add_record(&setup, 'V', &body);
    add_u8(&body, MODE_RUN);
    add_record(&setup, 'M', &body);
    add_u32(&body, namespaces);
    add_record(&setup, 'N', &body);
    add_u32(&body, getuid());
    add_u32(&body, getgid());
    add_record(&setup, 'I', &body);
    add_u8(&body, READ_ONLY);
    add_string(&body, "/");
    add_record(&setup, 'R', &body);
    if (kept_capabilities) {
        add_u64(&body, kept_capabilities);
        add_record(&setup, 'K', &body);
    }
    if (namespaces & NAMESPACE_UTS) {
        add_string(&body, "sandbox");
        add_record(&setup, 'H', &body);
    }
    for (int index = 0; index < count; index++)
        if (mounts[index].mount == OVERLAY)
            add_overlay(&setup);
    add_bytes(&body, &allow, sizeof allow);
    add_record(&setup, 'F', &body);
    for (int index = 0; index < count; index++)
        if (mounts[index].mount > OVERLAY)
            add_mount(&setup, &mounts[index]);
    send_report(&setup);
}

static void add_overlay(struct report *setup)
{
    struct report body = {0};
    add_string(&body, "");
    add_string(&body, "");
    add_record(setup, 'O', &body);
}

static void add_mount(struct report *setup, const struct trial *trial)
{
    struct report body = {0};
    add_u8(&body, trial->mount);
    add_u8(&body, DIRECTORY);
    add_u64(&body, 0);
    add_string(&body, trial->word);
    add_string(&body, "");
    add_string(&body, trial->target);
    add_record(setup, 'm', &body);
}

static void add_record(struct report *setup, char tag, struct report *body)
{
    add_u8(setup, (uint8_t)tag);
    add_u32(setup, (uint32_t)body->size);
    add_bytes(setup, body->data, body->size);
    free(body->data);
    *body = (struct report){0};
}

static void report_failure(const char *word, const struct frame *frame)
{
    struct cursor cursor = cursor_over(frame->payload, frame->size);
    take_bytes(&cursor, 5); /* id and kind */
    uint32_t error = take_u32(&cursor);
    take_string(&cursor);
    const char *call = take_string(&cursor);
    report_line(word, call ? call : "nothing was reported", error);
}

static void report_line(const char *word, const char *call, uint32_t error)
{
    char line[256], number[NUMBER];
    const char *parts[] = {word, "\t", call, "\t", decimal(number, error), "\n", NULL};
    join(line, sizeof line, parts);
    if (write(STDOUT_FILENO, line, strlen(line)) < 0)
        _exit(2);
}
