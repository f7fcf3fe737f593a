#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "sandbox.h"
#include "sys.h"

static uid_t program_uid, caller_uid;
static gid_t program_gid, caller_gid;
static bool caller_is_program;

static bool holds(const char *file, uint32_t id);

void drop_groups(void)
{
    char allowed[8] = "";
    if (geteuid() != 0 || setgroups(0, NULL) == 0)
        return;
    if (errno != EPERM || !read_file("/proc/self/setgroups", allowed, sizeof allowed) ||
        strncmp(allowed, "deny", 4) != 0)
        fail(FAILED_SETUP, errno, "setgroups");
}

void choose_ids(const struct setup *setup, bool same)
{
    caller_is_program = same;
    program_uid = setup->uid;
    program_gid = setup->gid;
    caller_uid = geteuid();
    caller_gid = getegid();
}

void as_program(void)
{
    if (caller_is_program)
        return;
    setfsgid(program_gid);
    if ((gid_t)setfsgid((gid_t)-1) != program_gid)
        fail(FAILED_SETUP, EPERM, "setfsgid");
    setfsuid(program_uid);
    if ((uid_t)setfsuid((uid_t)-1) != program_uid)
        fail(FAILED_SETUP, EPERM, "setfsuid");
}

/* The caller's id may not be mapped in this user namespace, so setfsuid could not name it. But setreuid, even if it
 * changes nothing, sets the id for files to the effective one. */
void as_caller(void)
{
    if (caller_is_program)
        return;
    if (setreuid((uid_t)-1, (uid_t)-1) != 0 || (uid_t)setfsuid((uid_t)-1) != caller_uid)
        fail(FAILED_SETUP, errno, "setreuid");
    if (setregid((gid_t)-1, (gid_t)-1) != 0 || (gid_t)setfsgid((gid_t)-1) != caller_gid)
        fail(FAILED_SETUP, errno, "setregid");
}

bool is_program(uid_t owner)
{
    return owner == program_uid;
}

bool is_program_group(gid_t group)
{
    return group == program_gid;
}

bool has_overflow_id(void)
{
    return holds("/proc/sys/kernel/overflowuid", program_uid) || holds("/proc/sys/kernel/overflowgid", program_gid);
}

/* True also where the file cannot be read, which is the safe answer. */
static bool holds(const char *file, uint32_t id)
{
    char text[16];
    return !read_file(file, text, sizeof text) || strtoull(text, NULL, 10) == id;
}

void become_program(const struct setup *setup)
{
    uid_t uid[3];
    gid_t gid[3];
    if (setresgid(setup->gid, setup->gid, setup->gid) != 0)
        fail(FAILED_SETUP, errno, "setresgid");
    if (setresuid(setup->uid, setup->uid, setup->uid) != 0)
        fail(FAILED_SETUP, errno, "setresuid");
    if (getresuid(&uid[0], &uid[1], &uid[2]) != 0 || getresgid(&gid[0], &gid[1], &gid[2]) != 0)
        fail(FAILED_READBACK, errno, "getresuid");
    for (int index = 0; index < 3; index++)
        if (uid[index] != setup->uid || gid[index] != setup->gid)
            fail(FAILED_READBACK, 0, "the ids are not those that were asked for");
}
