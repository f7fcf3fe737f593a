#include "plan.h"

enum { MOST_FILES = 8 };

static bool parse_files(struct cursor *body, struct files *files);

const char *parse_cgroup(struct cursor *records, struct setup *setup)
{
    struct cgroup *cgroup = &setup->cgroup;
    if (records->left == 0 || records->at[0] != 'P')
        return NULL;
    struct cursor body = take_record(records, 'P');
    cgroup->namespace = take_u8(&body);
    bool whole = parse_files(&body, &cgroup->procs) && parse_files(&body, &cgroup->tasks);
    if (!whole || !cursor_done(&body) || cgroup->namespace > 1 || setup->namespaces & NAMESPACE_CGROUP ||
        cgroup->procs.count + cgroup->tasks.count == 0)
        return "the cgroup is broken";
    return NULL;
}

static bool parse_files(struct cursor *body, struct files *files)
{
    files->count = take_u32(body);
    files->names = *body;
    if (files->count > MOST_FILES)
        return false;
    for (uint32_t index = 0; index < files->count; index++) {
        const char *file = take_string(body);
        if (!file || !is_path(file) || file[1] == '\0')
            return false;
    }
    return true;
}
