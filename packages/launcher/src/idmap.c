#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process.h"
#include "sandbox.h"
#include "sys.h"

/* Three numbers of at most ten digits, and what separates them. */
enum { LINE = 33 };

static bool is_mapped(const char *file, uint32_t id);
static struct id_map single_id(uint32_t inside, uint32_t outside);
static void set_map(const struct id_map *map, const char *pid, const char *name);
static void write_map(const struct id_map *map, const char *pid, const char *name);
static void run_tool(const struct id_map *map, const char *pid);
static bool leads_to(const struct id_map *map, uint32_t inside, uint32_t outside);

bool map_ids(pid_t child, const struct setup *setup)
{
    char number[NUMBER], path[64];
    const char *pid = decimal(number, (uint32_t)child);
    const char *const setgroups[] = {"/proc/", pid, "/setgroups", NULL};
    if (!write_file(join(path, sizeof path, setgroups), "deny"))
        fail(FAILED_SETUP, errno, "write setgroups");
    struct id_map uids = setup->uids, gids = setup->gids;
    if (uids.count == 0) {
        bool chooses_uid = has_capability(CAP_SETUID) && is_mapped("/proc/self/uid_map", setup->uid);
        bool chooses_gid = has_capability(CAP_SETGID) && is_mapped("/proc/self/gid_map", setup->gid);
        uids = single_id(setup->uid, chooses_uid ? setup->uid : geteuid());
        gids = single_id(setup->gid, chooses_gid ? setup->gid : getegid());
    }
    set_map(&uids, pid, "uid_map");
    set_map(&gids, pid, "gid_map");
    return leads_to(&uids, setup->uid, geteuid()) && leads_to(&gids, setup->gid, getegid());
}

/* Each line of such a file is the first id inside, the first one outside, and their count. If the file does not fit the
 * buffer, ids in the rest count as not mapped. */
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

static struct id_map single_id(uint32_t inside, uint32_t outside)
{
    return (struct id_map){.tool = "", .count = 1, .one = {inside, outside, 1}};
}

static void set_map(const struct id_map *map, const char *pid, const char *name)
{
    if (*map->tool)
        run_tool(map, pid);
    else
        write_map(map, pid, name);
}

static void write_map(const struct id_map *map, const char *pid, const char *name)
{
    static char text[MOST_EXTENTS * LINE + 1];
    char path[64], inside[NUMBER], outside[NUMBER], count[NUMBER];
    const char *const parts[] = {"/proc/", pid, "/", name, NULL};
    text[0] = '\0';
    for (uint32_t index = 0; index < map->count; index++) {
        struct extent extent = extent_at(map, index);
        const char *const words[] = {decimal(inside, extent.inside), " ", decimal(outside, extent.outside), " ",
                                     decimal(count, extent.count), "\n", NULL};
        size_t size = strlen(text);
        join(text + size, sizeof text - size, words);
    }
    if (!write_file(join(path, sizeof path, parts), text))
        fail(FAILED_SETUP, errno, name);
}

/* Runs newuidmap(1) or newgidmap(1), which may use the caller's subordinate ids. It has no standard streams, because
 * those of the launcher are the program's. */
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
    if (wait_for_end(tool) != 0)
        fail(FAILED_SETUP, EPERM, map->tool);
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
