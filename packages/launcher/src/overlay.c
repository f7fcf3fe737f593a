#include "overlay.h"

#include <errno.h>

#include "mounting.h"
#include "outcome.h"
#include "sys.h"
#include "text.h"

/* "/proc/self/fd/N:/proc/self/fd/N" */
enum { LONGEST = 64 };

static void try_overlay(void);
static int open_layer(const char *path);
static void name_layer(char name[LONGEST], int layer, int below);

bool has_overlay(const struct setup *setup)
{
    if (!setup->upper)
        return false;
    if (setup->upper[0] != '\0')
        return true;
    try_overlay();
    return false;
}

/* Of two directories that every host has: without anything to write to there have to be two. */
static void try_overlay(void)
{
    char lower[LONGEST];
    const struct option options[] = {{"lowerdir", lower}, {"userxattr", NULL}, {NULL, NULL}};
    int usr = open_layer("/usr"), etc = open_layer("/etc");
    name_layer(lower, usr, etc);
    close(new_filesystem("overlay", options, 0));
    close(usr);
    close(etc);
}

int make_overlay(int lower, const struct setup *setup)
{
    char names[3][LONGEST];
    /* Its attributes are in `user.` where the kernel would not let a user namespace set `trusted.`
     * ones; everywhere, so that a directory means the same to root and to others. */
    const struct option options[] = {{"lowerdir", names[0]}, {"upperdir", names[1]},
                                     {"workdir", names[2]}, {"userxattr", NULL}, {NULL, NULL}};
    at_field("overlay.upper");
    int upper = open_layer(setup->upper);
    at_field("overlay.work");
    int work = open_layer(setup->work);
    at_field("overlay");
    name_layer(names[0], lower, -1);
    name_layer(names[1], upper, -1);
    name_layer(names[2], work, -1);
    int root = new_filesystem("overlay", options, 0);
    close(upper);
    close(work);
    return root;
}

static int open_layer(const char *path)
{
    int layer = open_plain(AT_FDCWD, path, O_DIRECTORY);
    if (layer < 0)
        fail(FAILED_PATH, errno, "openat2");
    return layer;
}

/* By its fd: the kernel takes colons and commas in a path for its own, and follows symlinks. */
static void name_layer(char name[LONGEST], int layer, int below)
{
    char numbers[2][11];
    const char *parts[] = {"/proc/self/fd/", decimal(numbers[0], (uint32_t)layer),
                           below < 0 ? NULL : ":/proc/self/fd/",
                           below < 0 ? NULL : decimal(numbers[1], (uint32_t)below), NULL};
    join(name, LONGEST, parts);
}
