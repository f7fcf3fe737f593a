#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run_plan.h"
#include "sys.h"

static char **take_options(char **words);
static void clear_fds(void);
static void connect_to_launcher(int *its_end);
static pid_t start_launcher(uint32_t namespaces, int socket, const int fds[3]);
static void send_setup(const struct plan *plan);

void run_plan(char **words)
{
    struct plan plan;
    uint8_t streams[3];
    int fds[3], its_end;
    start_planned_time();
    clear_fds();
    connect_to_launcher(&its_end);
    int signals = watch_planned_signals();
    words = take_options(words);
    read_plan(words[0], &plan);
    if (!words[1] && plan.argument_count == 0)
        refuse(words[0], "the plan has no command of its own: write `-- COMMAND` after it", 0);
    open_planned_streams(streams, fds);
    struct planned_command command = encode_planned_command(&plan, streams, words[1] ? words + 2 : NULL);
    set_planned_deadline(&plan);
    pid_t launcher = start_launcher(plan.setup.namespaces, its_end, fds);
    close(its_end);
    close_planned_streams(fds);
    send_setup(&plan);
    if (plan.mask_count == 0)
        send_report(&command.frame); /* the program begins as soon as the sandbox is made, as with core */
    supervise_planned_run(&plan, &command, launcher, signals);
}

/* Returns what comes after them. */
static char **take_options(char **words)
{
    static const char usage[] =
        "usage: sandboxlib-launcher run [--result-file RESULT] FILE [-- COMMAND [ARG...]]\n"
        "Runs COMMAND, or the plan's own, as FILE says, which `sandboxlib plan` has written.\n"
        "RESULT gets the whole result, or the error, as JSON.\n";
    const bool asks = words[0] && strcmp(words[0], "--help") == 0;
    const char *result = NULL;
    if (words[0] && words[1] && strcmp(words[0], "--result-file") == 0) {
        result = words[1];
        words += 2;
    }
    if (asks || !words[0] || words[0][0] == '-' || (words[1] && (strcmp(words[1], "--") != 0 || !words[2])))
        _exit(write(asks ? STDOUT_FILENO : STDERR_FILENO, usage, sizeof usage - 1) > 0 && asks ? 0 : EXIT_USAGE);
    if (result)
        open_result(result, words[0]);
    return words;
}

/* Nothing that this process was given but its standard streams goes on, and each of these is there. */
static void clear_fds(void)
{
    int fd;
    if (sys_close_range(3, ~0U, 0) != 0)
        refuse("", "fds cannot be closed", errno);
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd < 3);
    if (fd < 0)
        refuse("/dev/null", "cannot be opened", errno);
    close(fd);
}

/* What speaks the protocol in the place of core has its end of the socket where a launcher has its own. */
static void connect_to_launcher(int *its_end)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0 || ends[0] != CORE_FD)
        refuse("", "there is no socket to the launcher", errno);
    *its_end = ends[1];
}

/* It is executed anew, so that nothing of this process, whose environment may hold secrets, is in that of pid 1. */
static pid_t start_launcher(uint32_t namespaces, int socket, const int fds[3])
{
    char number[NUMBER];
    char *words[] = {"sandboxlib-launcher", (char *)decimal(number, namespaces), NULL};
    char *none[] = {NULL};
    pid_t launcher = fork();
    if (launcher < 0)
        refuse("", "the launcher cannot be started", errno);
    if (launcher > 0)
        return launcher;
    for (int stream = 0; stream < 3; stream++)
        if (dup2(fds[stream], stream) < 0)
            _exit(1);
    if (dup2(socket, CORE_FD) >= 0)
        execve("/proc/self/exe", words, none);
    _exit(1);
}

static void send_setup(const struct plan *plan)
{
    for (size_t sent = 0; sent < plan->setup_frame_size;) {
        ssize_t wrote = send(CORE_FD, plan->setup_frame + sent, plan->setup_frame_size - sent, MSG_NOSIGNAL);
        if (wrote >= 0)
            sent += (size_t)wrote;
        else if (errno != EINTR)
            return; /* the launcher is gone, and has said why */
    }
}
