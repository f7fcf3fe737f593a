#include <errno.h>
#include <string.h>

#include "sandbox.h"
#include "sys.h"

static void write_each(struct files files, const char *pid, const char *found_there);

void put_into_cgroup(pid_t pid, const struct cgroup *cgroup)
{
    char number[NUMBER], line[NUMBER + 1];
    const char *digits = decimal(number, (uint32_t)pid);
    const char *const parts[] = {digits, "\n", NULL};
    join(line, sizeof line, parts);
    write_each(cgroup->procs, digits, line);
}

void enter_cgroup(const struct cgroup *cgroup)
{
    write_each(cgroup->tasks, "0", "1\n");
}

static void write_each(struct files files, const char *pid, const char *found_there)
{
    char found[2 * NUMBER]; /* more than one pid, so that a second process shows */
    set_field("limits");
    for (uint32_t index = 0; index < files.count; index++) {
        const char *file = take_string(&files.names);
        if (!write_file(file, pid))
            fail(FAILED_SETUP, errno, file);
        if (!read_file(file, found, sizeof found) || strcmp(found, found_there) != 0)
            fail(FAILED_READBACK, 0, file);
    }
    set_field("");
}
