#include "plan.h"

#include <string.h>

static const uint8_t MAGIC[8] = {'S', 'B', 'X', 'P', 'L', 'A', 'N', '1'};
/* The bytes before the sum, and those that say what the launcher's file was. */
enum { SUM = 4, LAUNCHER = 4 * 8, LAST_SIGNAL = 64 };
/* More microseconds than a machine runs, and no overflow when some are added. */
static const uint64_t LONGEST_TIME = (uint64_t)1 << 60;

static const char *parse_body(struct cursor *body, struct plan *plan);
static bool parse_terms(struct cursor *body, struct plan *plan);
static struct cursor take_list(struct cursor *body, uint32_t *count);
static uint32_t sum_of(const uint8_t *data, size_t size);

const char *parse_plan(const uint8_t *data, size_t size, struct plan *plan)
{
    *plan = (struct plan){0};
    if (size < sizeof MAGIC + SUM || memcmp(data, MAGIC, sizeof MAGIC) != 0)
        return "is no plan that this launcher can read";
    struct cursor sum = cursor_over(data + size - SUM, SUM);
    if (take_u32(&sum) != sum_of(data, size - SUM))
        return "is cut short, or is not as it was written";
    struct cursor body = cursor_over(data + sizeof MAGIC, size - sizeof MAGIC - SUM);
    return parse_body(&body, plan);
}

static const char *parse_body(struct cursor *body, struct plan *plan)
{
    plan->uid = take_u32(body);
    plan->gid = take_u32(body);
    plan->launcher = cursor_over(take_bytes(body, LAUNCHER), LAUNCHER);
    plan->file_count = take_u32(body);
    plan->files = *body;
    for (uint32_t index = 0; index < plan->file_count && !body->broken; index++)
        next_planned_file(body);
    plan->cwd = take_string(body);
    plan->arguments = take_list(body, &plan->argument_count);
    uint32_t variable_count;
    plan->variables = *body;
    take_list(body, &variable_count);
    plan->variables.left -= body->left;
    uint32_t size = take_u32(body);
    plan->limits = cursor_over(take_bytes(body, size), size);
    if (!parse_terms(body, plan))
        return "is broken";
    plan->setup_frame_size = body->left;
    plan->setup_frame = take_bytes(body, body->left);
    if (!cursor_done(body) || plan->setup_frame_size < 5)
        return "is broken";
    struct cursor frame = cursor_over(plan->setup_frame, plan->setup_frame_size);
    if (take_u32(&frame) != plan->setup_frame_size - 4 || take_u8(&frame) != 'S' || frame.left >= LARGEST_FRAME)
        return "has no set-up";
    const char *wrong = parse_setup(frame.at, frame.left, &plan->setup);
    if (wrong)
        return wrong;
    if (plan->setup.mode != MODE_RUN || plan->setup.upper || plan->setup.cgroup.procs.count > 0 ||
        plan->setup.cgroup.tasks.count > 0)
        return "asks for what only core can do";
    return NULL;
}

/* When the run is to end, what has to be looked at meanwhile, and what its result says. */
static bool parse_terms(struct cursor *body, struct plan *plan)
{
    plan->cpu_time = take_string(body);
    plan->wall_time = take_u64(body);
    plan->grace = take_u64(body);
    plan->stop_signal = take_u32(body);
    plan->mask_count = take_u32(body);
    plan->masks = *body;
    for (uint32_t index = 0; index < plan->mask_count && !body->broken; index++) {
        const struct planned_mask mask = next_planned_mask(body);
        if (mask.type != MOUNT_MASK && mask.type != MOUNT_BIND)
            return false;
    }
    plan->masks.left -= body->left;
    plan->receipt = take_string(body);
    return !body->broken && plan->wall_time <= LONGEST_TIME && plan->grace <= LONGEST_TIME &&
           plan->stop_signal <= LAST_SIGNAL;
}

/* A number, and as many strings; the strings. */
static struct cursor take_list(struct cursor *body, uint32_t *count)
{
    *count = take_u32(body);
    struct cursor strings = *body;
    for (uint32_t index = 0; index < *count && !body->broken; index++)
        take_string(body);
    strings.left -= body->left;
    return strings;
}

struct planned_file next_planned_file(struct cursor *files)
{
    struct planned_file file = {.device = take_u64(files)};
    file.inode = take_u64(files);
    file.kind = take_u32(files);
    file.field = take_string(files);
    file.path = take_string(files);
    return file;
}

struct planned_mask next_planned_mask(struct cursor *masks)
{
    struct planned_mask mask = {.type = take_u8(masks)};
    mask.field = take_string(masks);
    mask.target = take_string(masks);
    return mask;
}

/* FNV-1a, against accidents: who may write to the file may do all that the caller may. */
static uint32_t sum_of(const uint8_t *data, size_t size)
{
    uint32_t sum = 2166136261U;
    for (size_t index = 0; index < size; index++)
        sum = (sum ^ data[index]) * 16777619U;
    return sum;
}
