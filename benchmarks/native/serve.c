/* serve LAUNCHER PLAN COUNT AT_A_TIME: what a launch takes from the launcher's fork server, in milliseconds, without
 * Node. Says and hears what core does; the set-up, the variables and so on are those of a plan. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include "clock.h"
#include "plan.h"

enum { WARM_UP = 4, MOST = 64, ROOM = 4096 };

/* What a launcher has said so far. */
struct launch {
    uint32_t id;
    size_t size;
    uint8_t said[ROOM];
};

static pid_t start_server(const char *launcher);
static void read_plan_file(const char *path, struct plan *plan);
static void run(const struct plan *plan, int count, int at_a_time);
static void start(const struct plan *plan, uint32_t id);
static bool hear(void);
static struct launch *launch_of(uint32_t id);
static void say(uint8_t type, uint32_t id);
static _Noreturn void give_up(const char *what);

static struct launch launches[MOST];

int main(int count, char **words)
{
    struct plan plan;
    if (count != 5 || atoi(words[4]) > MOST)
        return 2;
    const pid_t server = start_server(words[1]);
    read_plan_file(words[2], &plan);
    run(&plan, WARM_UP, 1);
    const int all = atoi(words[3]);
    const double begun = milliseconds();
    run(&plan, all, atoi(words[4]));
    printf("%f\n", (milliseconds() - begun) / all);
    close(CORE_FD);
    waitpid(server, NULL, 0);
    return 0;
}

static pid_t start_server(const char *launcher)
{
    int ends[2];
    char *const words[] = {"sandboxlib-launcher", "serve", NULL}, *const none[] = {NULL};
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        give_up("socketpair");
    const pid_t pid = fork();
    if (pid == 0) {
        const int other = fcntl(ends[1], F_DUPFD, CORE_FD + 2);
        dup2(other, CORE_FD);
        execve(launcher, words, none);
        _exit(1);
    }
    const int own = fcntl(ends[0], F_DUPFD, CORE_FD + 2);
    close(ends[0]);
    close(ends[1]);
    if (pid < 0 || dup2(own, CORE_FD) < 0)
        give_up(launcher);
    close(own);
    return pid;
}

static void read_plan_file(const char *path, struct plan *plan)
{
    struct stat info;
    const int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &info) != 0)
        give_up(path);
    uint8_t *data = malloc((size_t)info.st_size);
    if (!data || read(fd, data, (size_t)info.st_size) != info.st_size)
        give_up(path);
    close(fd);
    const char *wrong = parse_plan(data, (size_t)info.st_size, plan);
    if (wrong)
        give_up(wrong);
}

static void run(const struct plan *plan, int count, int at_a_time)
{
    static uint32_t id;
    for (int started = 0, ended = 0; ended < count; ended += hear())
        for (; started < count && started - ended < at_a_time; started++)
            start(plan, ++id);
}

static void start(const struct plan *plan, uint32_t id)
{
    static const uint8_t null[3] = {STREAM_NULL, STREAM_NULL, STREAM_NULL};
    struct report command, launch;
    begin_report(&command, 'C');
    add_u32(&command, id);
    add_bytes(&command, null, 3);
    add_string(&command, plan->cwd);
    add_u32(&command, plan->argument_count);
    add_bytes(&command, plan->arguments.at, plan->arguments.left);
    add_bytes(&command, plan->variables.at, plan->variables.left);
    const uint32_t length = (uint32_t)command.size - 4;
    memcpy(command.data, &length, 4);
    begin_report(&launch, 'L');
    add_u32(&launch, id);
    add_u32(&launch, plan->setup.namespaces);
    add_u32(&launch, 022);
    add_bytes(&launch, null, 3);
    add_bytes(&launch, (const uint8_t[]){0}, 1); /* its command comes with it */
    add_bytes(&launch, plan->setup_frame, plan->setup_frame_size);
    add_bytes(&launch, command.data, command.size);
    free(command.data);
    struct launch *free_one = launch_of(0);
    *free_one = (struct launch){.id = id};
    send_report(&launch);
}

/* Takes one message. True when a launcher is gone. */
static bool hear(void)
{
    struct frame frame;
    if (read_frame(&frame) != FRAME_READ)
        give_up("the fork server has ended");
    struct cursor cursor = cursor_over(frame.payload, frame.size);
    const uint32_t id = take_u32(&cursor);
    struct launch *launch = launch_of(id);
    const bool is_gone = frame.type == 'G';
    if (frame.type == 'F')
        give_up("a launcher could not be started");
    if (frame.type == 'B')
        say('O', id);
    if (frame.type == 'U' && launch->size + cursor.left <= ROOM) {
        memcpy(launch->said + launch->size, cursor.at, cursor.left);
        launch->size += cursor.left;
        struct cursor said = cursor_over(launch->said, launch->size);
        for (uint32_t length; (length = take_u32(&said)) > 0 && length <= said.left;) {
            const uint8_t type = *take_bytes(&said, length);
            if (type == 'X')
                say('E', id);
            if (type == 'F')
                give_up("a sandbox could not be made");
        }
    }
    if (is_gone)
        launch->id = 0;
    free_frame(&frame);
    return is_gone;
}

static struct launch *launch_of(uint32_t id)
{
    for (int index = 0; index < MOST; index++)
        if (launches[index].id == id)
            return &launches[index];
    give_up("an unknown launcher");
}

static void say(uint8_t type, uint32_t id)
{
    struct report report;
    begin_report(&report, type);
    add_u32(&report, id);
    send_report(&report);
}

static void give_up(const char *what)
{
    fprintf(stderr, "serve: %s: %s\n", what, strerror(errno));
    exit(1);
}
