#include <stdlib.h>
#include <string.h>

#include "check.h"

enum { HEAD = 8, SUM = 4, FRAME_HEAD = 5, LAUNCHER = 32 };

static void check_plan(const struct plan *plan, const uint8_t *body, size_t size);
static void encode_files(struct report *report, const struct plan *plan);
static void encode_list(struct report *report, struct cursor strings, uint32_t count);
static void encode_masks(struct report *report, const struct plan *plan);

/* The sum would stop every change, so it is added here, by other means than the parser's. */
const char *check_plan_body(const uint8_t *body, size_t size)
{
    const size_t whole = HEAD + size + SUM;
    uint8_t *file = malloc(whole);
    expect(file != NULL);
    memcpy(file, "SBXPLAN1", HEAD);
    if (size > 0)
        memcpy(file + HEAD, body, size);
    uint64_t sum = 0x811c9dc5;
    for (size_t index = 0; index < HEAD + size; index++)
        sum = ((sum ^ file[index]) * 0x01000193) & 0xffffffff;
    for (int byte = 0; byte < SUM; byte++)
        file[HEAD + size + (size_t)byte] = (uint8_t)(sum >> (8 * byte));
    struct plan plan;
    const char *wrong = parse_plan(file, whole, &plan);
    if (!wrong)
        check_plan(&plan, body, size);
    free(file);
    return wrong;
}

static void check_plan(const struct plan *plan, const uint8_t *body, size_t size)
{
    const struct setup *setup = &plan->setup;
    expect(setup->mode == MODE_RUN && !setup->upper && setup->cgroup.procs.count + setup->cgroup.tasks.count == 0);
    check_setup(setup, plan->setup_frame + FRAME_HEAD, plan->setup_frame_size - FRAME_HEAD);
    expect(plan->stop_signal <= 64);
    struct report report = {0};
    add_u32(&report, plan->uid);
    add_u32(&report, plan->gid);
    expect(plan->launcher.left == LAUNCHER);
    add_bytes(&report, plan->launcher.at, LAUNCHER);
    encode_files(&report, plan);
    add_string(&report, plan->cwd);
    encode_list(&report, plan->arguments, plan->argument_count);
    add_bytes(&report, plan->variables.at, plan->variables.left);
    add_u32(&report, (uint32_t)plan->limits.left);
    add_bytes(&report, plan->limits.at, plan->limits.left);
    add_string(&report, plan->cpu_time);
    add_u64(&report, plan->wall_time);
    add_u64(&report, plan->grace);
    add_u32(&report, plan->stop_signal);
    encode_masks(&report, plan);
    add_string(&report, plan->receipt);
    add_bytes(&report, plan->setup_frame, plan->setup_frame_size);
    expect(report.size == size && memcmp(report.data, body, size) == 0);
    free(report.data);
}

static void encode_files(struct report *report, const struct plan *plan)
{
    struct cursor files = plan->files;
    add_u32(report, plan->file_count);
    for (uint32_t index = 0; index < plan->file_count; index++) {
        const struct planned_file file = next_planned_file(&files);
        add_u64(report, file.device);
        add_u64(report, file.inode);
        add_u32(report, file.kind);
        add_string(report, file.field);
        add_string(report, file.path);
    }
}

static void encode_list(struct report *report, struct cursor strings, uint32_t count)
{
    add_u32(report, count);
    for (uint32_t index = 0; index < count; index++)
        add_string(report, take_string(&strings));
    expect(cursor_done(&strings));
}

static void encode_masks(struct report *report, const struct plan *plan)
{
    struct cursor masks = plan->masks;
    add_u32(report, plan->mask_count);
    for (uint32_t index = 0; index < plan->mask_count; index++) {
        const struct planned_mask mask = next_planned_mask(&masks);
        expect(mask.type == MOUNT_MASK || mask.type == MOUNT_BIND);
        add_u8(report, mask.type);
        add_string(report, mask.field);
        add_string(report, mask.target);
    }
    expect(cursor_done(&masks));
}
