#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "run_plan.h"
#include "sys.h"

/* Microseconds from one look to the next. */
enum { EVERY = 50000 };
/* The field of a line of proc_pid_mountinfo(5) that is the place of a mount. */
enum { MOUNT_POINT = 4, CHUNK = 16384 };

static size_t read_table(void);
static void find_masks(const char *line, const char *end);
static bool is_written_as(const char *field, const char *end, const char *path);
static _Noreturn void refuse_bared(const struct planned_mask *mask);

static int table = -1;
static struct planned_mask *masks;
static bool *found; /* for each mask, whether the table has it */
static uint32_t count;
static uint64_t next_look = UINT64_MAX;
static char *text;
static size_t room;

void open_planned_masks(const struct plan *plan, uint32_t pid)
{
    char number[NUMBER], path[64];
    const char *const parts[] = {"/proc/", decimal(number, pid), "/mountinfo", NULL};
    if (plan->mask_count == 0)
        return;
    masks = calloc(plan->mask_count, sizeof *masks);
    found = calloc(plan->mask_count, sizeof *found);
    table = open(join(path, sizeof path, parts), O_RDONLY | O_CLOEXEC);
    if (!masks || !found || table < 0)
        refuse("", "the mounts of the sandbox cannot be read", errno);
    struct cursor cursor = plan->masks;
    for (; count < plan->mask_count; count++)
        masks[count] = next_planned_mask(&cursor);
    look_at_planned_masks();
}

uint64_t look_at_planned_masks_in_time(void)
{
    if (table >= 0 && planned_time() >= next_look)
        look_at_planned_masks();
    return next_look;
}

/* Whoever replaces a file on the host takes the mount over it away; whoever moves a directory takes it along. */
void look_at_planned_masks(void)
{
    if (table < 0)
        return;
    memset(found, 0, count * sizeof *found);
    const char *line = text, *end;
    const size_t size = read_table();
    for (line = text; line < text + size; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text + size - line));
        if (!end)
            end = text + size;
        find_masks(line, end);
    }
    for (uint32_t index = 0; index < count; index++)
        if (!found[index])
            refuse_bared(&masks[index]);
    next_look = planned_time() + EVERY;
}

/* Returns its size. */
static size_t read_table(void)
{
    for (size_t size = 0;;) {
        if (room - size < CHUNK) {
            char *larger = realloc(text, room + 4 * CHUNK);
            if (!larger)
                refuse("", "there is no memory for the mounts of the sandbox", ENOMEM);
            text = larger;
            room += 4 * CHUNK;
        }
        long got = syscall(SYS_pread64, table, text + size, CHUNK, size);
        if (got < 0 && errno != EINTR)
            refuse("", "the mounts of the sandbox cannot be read", errno);
        if (got == 0)
            return size;
        size += got > 0 ? (size_t)got : 0;
    }
}

static void find_masks(const char *line, const char *end)
{
    for (int field = 0; field < MOUNT_POINT; field++) {
        line = memchr(line, ' ', (size_t)(end - line));
        if (!line++)
            return;
    }
    const char *stop = memchr(line, ' ', (size_t)(end - line));
    for (uint32_t index = 0; stop && index < count; index++)
        if (is_written_as(line, stop, masks[index].target))
            found[index] = true;
}

/* The kernel writes some bytes as a backslash and three octal digits. */
static bool is_written_as(const char *field, const char *end, const char *path)
{
    for (; field < end && *path; path++) {
        char byte = *field++;
        if (byte == '\\' && end - field >= 3) {
            byte = (char)((field[0] - '0') << 6 | (field[1] - '0') << 3 | (field[2] - '0'));
            field += 3;
        }
        if (byte != *path)
            return false;
    }
    return field == end && *path == '\0';
}

static void refuse_bared(const struct planned_mask *mask)
{
    const struct planned_error error = {
        .code = "VERIFY_FAILED",
        .subject = mask->field,
        .is_field = true,
        .what = mask->type == MOUNT_MASK
                    ? "the path is not hidden any more, as it or a directory above it was replaced on the host: the "
                      "program may have read what is there now"
                    : "the path is not read-only any more, as it or a directory above it was replaced on the host: "
                      "the program may have written to what is there now",
        .exit_status = EXIT_NO_SANDBOX,
    };
    refuse_as(&error);
}
