/* The init of a sandbox that another tool has made: it runs inside, starts one program, and tells the outside how that
 * fared. Tools say too little: most cannot tell a signal from an exit status, and a program that is pid 1 itself ignores
 * signals. Nothing here may touch CORE_FD, which is anybody's fd. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "guest.h"
#include "launcher.h"
#include "process.h"
#include "sandbox.h"
#include "sys.h"

/* What the program's process says when it cannot become the program. */
struct broken_start {
    const char *step;
    int error;
};

enum watched { CHILDREN, SIGNALS, STATUS, LIFE, WATCHED };
enum { LONGEST_REPORT = 512 };

static pid_t start_program(const struct guest *guest, int status[2]);
static _Noreturn void become_program_of(const struct guest *guest, int status_fd);
static const char *try_program(const struct guest *guest);
static _Noreturn void watch_program(const struct guest *guest, pid_t program, int status_fd, int children, int signals);
static bool has_started(const struct guest *guest, int status_fd);
static void end_everything(const struct guest *guest, pid_t program);
static _Noreturn void finish(const struct guest *guest, pid_t program, int status, const struct rusage *usage);
static void tell(const struct guest *guest, const char *word, const char *text, const uint64_t *numbers, int count);

void serve_guest(char **words)
{
    struct guest guest = {.fds = {-1, -1, -1, -1, -1, -1}, .options = words, .is_init = syscall(SYS_getpid) == 1};
    int status[2];
    reset_signals();
    if (!parse_guest_words(words, &guest))
        exit_with_error("guest", EINVAL);
    close_other_fds(&guest);
    guest.variables = guest.fds[VARIABLES] < 0 ? environ : read_guest_texts(&guest, VARIABLES, "variables");
    if (guest.fds[COMMAND] >= 0)
        guest.program = read_guest_texts(&guest, COMMAND, "command");
    if (!guest.program[0])
        give_up_guest(&guest, "command", EINVAL);
    if (!guest.is_init && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
        give_up_guest(&guest, "prctl", errno);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        give_up_guest(&guest, "prctl", errno);
    const char *broken = guest.root ? enter_guest_root(guest.root, guest.user, words) : NULL;
    if (broken)
        give_up_guest(&guest, broken, errno);
    guest.profile = read_guest_filter(&guest, PROFILE);
    const struct filter filter = read_guest_filter(&guest, FILTER);
    if (!set_filter(&filter))
        give_up_guest(&guest, "seccomp", errno);
    const int children = watch_children(), signals = watch_signals();
    const uint64_t own = (uint64_t)syscall(SYS_getpid);
    tell(&guest, "up", NULL, &own, 1);
    pid_t program = start_program(&guest, status);
    watch_program(&guest, program, status[0], children, signals);
}

static pid_t start_program(const struct guest *guest, int status[2])
{
    if (pipe2(status, O_CLOEXEC) != 0)
        give_up_guest(guest, "pipe2", errno);
    pid_t program = fork();
    if (program < 0)
        give_up_guest(guest, "fork", errno);
    if (program == 0)
        become_program_of(guest, status[1]);
    close(status[1]);
    return program;
}

static void become_program_of(const struct guest *guest, int status_fd)
{
    struct broken_start broken = {.step = try_program(guest)};
    broken.error = errno;
    _exit(write(status_fd, &broken, sizeof broken) == sizeof broken ? 127 : 126);
}

/* Returns the step that failed, with errno. */
static const char *try_program(const struct guest *guest)
{
    restore_signals();
    setsid();
    if (guest->cwd && chdir(guest->cwd) != 0)
        return "cwd";
    const char *broken = set_guest_limits(guest->options);
    if (broken)
        return broken;
    /* It may allow nothing but what the program needs, so nothing else comes after it. */
    if (!set_filter(&guest->profile))
        return "seccomp";
    environ = guest->variables; /* where execvp looks for PATH, too */
    execvp(guest->program[0], guest->program);
    return "exec";
}

static void watch_program(const struct guest *guest, pid_t program, int status_fd, int children, int signals)
{
    struct pollfd watched[WATCHED] = {
        [CHILDREN] = {.fd = children, .events = POLLIN},
        [SIGNALS] = {.fd = signals, .events = POLLIN},
        [STATUS] = {.fd = status_fd, .events = POLLIN},
        [LIFE] = {.fd = guest->fds[LIFELINE], .events = POLLIN},
    };
    struct rusage usage;
    int status;
    char byte;
    for (;;) {
        if (poll(watched, WATCHED, -1) < 0 && errno != EINTR)
            give_up_guest(guest, "poll", errno);
        if (watched[LIFE].revents && read(guest->fds[LIFELINE], &byte, 1) == 0) {
            end_everything(guest, program);
            wait_for_end(program); /* fails at once where it was reaped just now */
            _exit(1);
        }
        if (watched[STATUS].revents) {
            if (!has_started(guest, status_fd))
                _exit(127);
            watched[STATUS] = (struct pollfd){.fd = -1};
        }
        if (watched[CHILDREN].revents && reap_until(children, program, &status, &usage)) {
            if (watched[STATUS].fd >= 0 && !has_started(guest, status_fd))
                _exit(127);
            finish(guest, program, status, &usage);
        }
        if (watched[SIGNALS].revents)
            for (int number; (number = next_signal(signals)) != 0;)
                signal_program(program, number);
    }
}

/* Reads what the program's process has said before the exec closed its end of the pipe. The two have the same memory, so
 * the text of the step is at the same place in both. */
static bool has_started(const struct guest *guest, int status_fd)
{
    struct broken_start broken;
    if (read(status_fd, &broken, sizeof broken) != sizeof broken) {
        tell(guest, "started", NULL, NULL, 0);
        return true;
    }
    const uint64_t error = (uint64_t)broken.error;
    tell(guest, "failed", broken.step, &error, 1);
    return false;
}

/* Where this is not pid 1, other processes of this user may be none of the sandbox: whoever made it ends the rest. */
static void end_everything(const struct guest *guest, pid_t program)
{
    if (guest->is_init)
        kill_all_others(NULL);
    else if (kill(-program, SIGKILL) != 0)
        kill(program, SIGKILL);
}

static void finish(const struct guest *guest, pid_t program, int status, const struct rusage *usage)
{
    const uint64_t numbers[] = {
        (uint64_t)(uint32_t)status,
        (uint64_t)usage->ru_utime.tv_sec * 1000000 + (uint64_t)usage->ru_utime.tv_usec,
        (uint64_t)usage->ru_stime.tv_sec * 1000000 + (uint64_t)usage->ru_stime.tv_usec,
        (uint64_t)usage->ru_maxrss,
        (uint64_t)usage->ru_minflt,
        (uint64_t)usage->ru_majflt,
        (uint64_t)usage->ru_inblock,
        (uint64_t)usage->ru_oublock,
        (uint64_t)usage->ru_nvcsw,
        (uint64_t)usage->ru_nivcsw,
    };
    end_everything(guest, program);
    tell(guest, "ended", NULL, numbers, sizeof numbers / sizeof *numbers);
    _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

void give_up_guest(const struct guest *guest, const char *step, int error)
{
    const uint64_t number = (uint64_t)error;
    tell(guest, "failed", step, &number, 1);
    _exit(125);
}

/* One line, in one write. */
static void tell(const struct guest *guest, const char *word, const char *text, const uint64_t *numbers, int count)
{
    char line[LONGEST_REPORT], more[LONGEST_REPORT], digits[NUMBER];
    const char *const start[] = {word, text ? " " : "", text ? text : "", NULL};
    join(line, sizeof line, start);
    for (int index = 0; index < count; index++) {
        const char *const parts[] = {line, " ", decimal(digits, numbers[index]), NULL};
        strcpy(line, join(more, sizeof more, parts));
    }
    size_t size = strlen(line);
    line[size] = '\n';
    if (write(guest->fds[REPORT], line, size + 1) < 0)
        return; /* nobody listens any more, and the lifeline says whether to go on */
}
