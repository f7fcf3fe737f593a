#include "idmaps.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "outcome.h"
#include "privileges.h"
#include "text.h"

enum { NUMBER = 11, LINE = 3 * NUMBER };

static void write_map(const struct id_map *map, const char *process, const char *file);
static void run_tool(const struct id_map *map, const char *pid);
static bool leads_to(const struct id_map *map, uint32_t inside, uint32_t outside);
static bool is_mapped(const char *file, uint32_t id);

bool map_ids(pid_t child, const struct setup *setup)
{
    char number[NUMBER], process[32], path[64];
    const char *pid = decimal(number, (uint32_t)child);
    const char *const directory[] = {"/proc/", pid, NULL};
    const char *const setgroups[] = {process, "/setgroups", NULL};
    join(process, sizeof process, directory);
    join(path, sizeof path, setgroups);
    if (!write_file(path, "deny"))
        fail(FAILED_SETUP, errno, "write setgroups");
    struct id_map uids = setup->uids, gids = setup->gids;
    if (uids.count == 0) {
        bool chooses_uid = has_capability(CAP_SETUID) && is_mapped("/proc/self/uid_map", setup->uid);
        bool chooses_gid = has_capability(CAP_SETGID) && is_mapped("/proc/self/gid_map", setup->gid);
        uids = one_id(setup->uid, chooses_uid ? setup->uid : geteuid());
        gids = one_id(setup->gid, chooses_gid ? setup->gid : getegid());
    }
    if (*uids.tool)
        run_tool(&uids, pid);
    else
        write_map(&uids, process, "/uid_map");
    if (*gids.tool)
        run_tool(&gids, pid);
    else
        write_map(&gids, process, "/gid_map");
    return leads_to(&uids, setup->uid, geteuid()) && leads_to(&gids, setup->gid, getegid());
}

static bool leads_to(const struct id_map *map, uint32_t inside, uint32_t outside)
{
    for (uint32_t index = 0; index < map->count; index++) {
        struct extent extent = extent_at(map, index);
        if (inside >= extent.inside && inside - extent.inside < extent.count)
            return extent.outside + (inside - extent.inside) == outside;
    }
    return false;
}

static void write_map(const struct id_map *map, const char *process, const char *file)
{
    static char text[MOST_EXTENTS * (LINE + 1)];
    char path[64], in[NUMBER], out[NUMBER], many[NUMBER];
    const char *const parts[] = {process, file, NULL};
    join(path, sizeof path, parts);
    text[0] = '\0';
    for (uint32_t index = 0; index < map->count; index++) {
        struct extent extent = extent_at(map, index);
        const char *const words[] = {decimal(in, extent.inside), " ", decimal(out, extent.outside), " ",
                                     decimal(many, extent.count), "\n", NULL};
        size_t size = strlen(text);
        join(text + size, sizeof text - size, words);
    }
    if (!write_file(path, text))
        fail(FAILED_SETUP, errno, file + 1);
}

/* newuidmap(1) or newgidmap(1), which may use the caller's subordinate ids. What it says goes nowhere:
 * standard error is the program's. */
static void run_tool(const struct id_map *map, const char *pid)
{
    static char numbers[3 * MOST_EXTENTS][NUMBER];
    static const char *words[3 * MOST_EXTENTS + 3];
    uint32_t count = 0;
    words[0] = map->tool;
    words[1] = pid;
    for (uint32_t index = 0; index < map->count; index++) {
        struct extent extent = extent_at(map, index);
        const uint32_t triple[] = {extent.inside, extent.outside, extent.count};
        for (int word = 0; word < 3; word++, count++)
            words[count + 2] = decimal(numbers[count], triple[word]);
    }
    words[count + 2] = NULL;
    pid_t tool = fork();
    if (tool < 0)
        fail(FAILED_SETUP, errno, "fork");
    if (tool == 0) {
        char *const none[] = {NULL};
        for (int fd = 0; fd < 3; fd++)
            close(fd);
        execve(map->tool, (char *const *)(uintptr_t)words, none);
        _exit(127);
    }
    int status;
    while (waitpid(tool, &status, 0) < 0 && errno == EINTR)
        ;
    if (status != 0)
        fail(FAILED_SETUP, EPERM, map->tool);
}

/* Lines of three numbers: the first id inside, the first outside, how many. A map that does not fit
 * the buffer is cut, which maps less and not more. */
static bool is_mapped(const char *file, uint32_t id)
{
    char text[4096];
    char *at = text, *end = text;
    if (!read_file(file, text, sizeof text))
        return false;
    for (;;) {
        unsigned long long first = strtoull(at, &at, 10);
        strtoull(at, &at, 10);
        unsigned long long count = strtoull(at, &end, 10);
        if (end == at)
            return false;
        if (id >= first && id - first < count)
            return true;
        at = end;
    }
}
