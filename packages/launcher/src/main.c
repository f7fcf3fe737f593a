#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fds.h"
#include "launcher.h"
#include "mount.h"
#include "run_plan.h"
#include "process.h"

static _Noreturn void send_streams(const char *word);
static uint32_t read_namespaces(const char *word);

/* What the launcher can be started as is described in PROTOCOL.md. */
int main(int count, char **words)
{
    if (count == 3 && strcmp(words[1], "send-fds") == 0)
        send_streams(words[2]);
    if (count == 3 && strcmp(words[1], "clone") == 0)
        serve_clone(words[2]);
    if (count > 2 && strcmp(words[1], "read-only-dev") == 0)
        run_with_read_only_dev(words + 2);
    if (count > 2 && strcmp(words[1], "guest") == 0)
        serve_guest(words + 2);
    if (count > 2 && strcmp(words[1], "runtime") == 0)
        run_runtime(words + 2);
    if (count > 1 && strcmp(words[1], "run") == 0)
        run_plan(words + 2);
    if (count == 2 && strcmp(words[1], "probe") == 0)
        probe(false);
    if (count == 3 && strcmp(words[1], "probe") == 0 && strcmp(words[2], "capabilities") == 0)
        probe(true);
    if (is_socket(CORE_FD) && is_socket(STREAMS_FD))
        run_as_clone(words);
    check_start();
    if (count == 2 && strcmp(words[1], "serve") == 0)
        serve();
    reset_signals();
    launch(read_namespaces(count == 2 ? words[1] : ""), NULL);
}

/* Sends its own standard streams to a session. Node can start a process with fds, but cannot send them. */
static void send_streams(const char *word)
{
    char *end;
    const unsigned long long id = strtoull(word, &end, 10);
    if (*word < '0' || *word > '9' || *end != '\0' || id > UINT32_MAX)
        _exit(2);
    if (have_devices() && (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0))
        protect_devices(-1);
    const struct fd_message message = {.id = (uint32_t)id, .fds = {0, 1, 2}};
    _exit(send_fds(CORE_FD, &message) ? 0 : 1);
}

/* Reads the bits of the set-up's `N`, in decimal. */
static uint32_t read_namespaces(const char *word)
{
    char *end;
    unsigned long long bits = strtoull(word, &end, 10);
    if (*word == '\0' || *end != '\0' || !are_namespaces(bits))
        fail(FAILED_PROTOCOL, 0, "the namespaces of the start are broken");
    return (uint32_t)bits;
}
