/* A plan: what core has decided once, in a file, for runs without core. See PROTOCOL.md. */
#ifndef SANDBOXLIB_PLAN_H
#define SANDBOXLIB_PLAN_H

#include "protocol.h"

/* Strings and frames point into the file's bytes. */
struct plan {
    uint32_t uid, gid; /* the caller's */
    struct cursor launcher; /* device, inode, size and time of the change of the launcher's file */
    uint32_t file_count;
    struct cursor files; /* what must still be there */
    const uint8_t *setup_frame;
    size_t setup_frame_size;
    struct setup setup;
    const char *cwd;
    uint32_t argument_count; /* of the plan's own command, 0: there is none */
    struct cursor arguments;
    struct cursor variables; /* the count and the strings, as in a command */
    struct cursor limits;    /* records, as in a command */
    const char *cpu_time;    /* the limit of processor time, seconds as the config has them; empty: none */
    uint64_t wall_time;      /* microseconds, 0: no limit */
    uint64_t grace;          /* microseconds from the stop signal to the end */
    uint32_t stop_signal;    /* what the program gets first at its time limit, 0: it is killed */
    uint32_t mask_count;
    struct cursor masks;     /* mounts that protect what they cover, and so have to stay where they are */
    const char *receipt;     /* what a result says of the sandbox: the end of a JSON object */
};

/* A file or directory of the host as it was when the plan was made. */
struct planned_file {
    uint64_t device, inode;
    uint32_t kind; /* S_IFMT of its mode */
    const char *field, *path;
};

/* One of those mounts: a mask, or a bind that is read-only. */
struct planned_mask {
    uint8_t type; /* MOUNT_MASK or MOUNT_BIND */
    const char *field, *target;
};

/* Returns what is wrong with it, or NULL. No system calls: plan_file.c. */
const char *parse_plan(const uint8_t *data, size_t size, struct plan *plan);

/* The next file of a plan that was parsed. `files` is a copy of the plan's. */
struct planned_file next_planned_file(struct cursor *files);
struct planned_mask next_planned_mask(struct cursor *masks);

#endif
