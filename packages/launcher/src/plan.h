/* What core asks for, parsed and checked as a whole before anything is done. No system calls. */
#ifndef SANDBOXLIB_PLAN_H
#define SANDBOXLIB_PLAN_H

#include "cursor.h"

enum mode { MODE_RUN = 0, MODE_SESSION = 1 };

enum namespaces {
    NAMESPACE_USER = 1,
    NAMESPACE_IPC = 2,
    NAMESPACE_UTS = 4,
    NAMESPACE_CGROUP = 8,
    NAMESPACE_NET = 16,
    ALL_NAMESPACES = 31,
};

enum mount_type {
    MOUNT_BIND = 'b',
    MOUNT_TMPFS = 't',
    MOUNT_PROC = 'p',
    MOUNT_DEV = 'd',
    MOUNT_HIDE = 'h',
    MOUNT_MIRROR = 'r',
};

/* A filter of system calls: what the kernel takes, and the bytes of one instruction. */
enum { MOST_INSTRUCTIONS = 4096, INSTRUCTION = 8 };

enum mount_flag { READ_ONLY = 1, CREATE = 2, DIRECTORY = 4, DEVICES = 8 };

struct mount {
    uint8_t type;
    uint8_t flags;
    uint64_t size;
    const char *field;
    const char *source;
    const char *target;
};

/* The kernel takes no more. */
enum { MOST_EXTENTS = 340 };

struct extent {
    uint32_t inside, outside, count;
};

/* A map of user_namespaces(7), and the tool that is to write it if not the launcher itself. */
struct id_map {
    const char *tool;
    uint32_t count; /* 0: there is none in the plan */
    struct cursor extents;
    struct extent one;
};

struct files {
    uint32_t count;
    struct cursor names;
};

/* The files that take the pid of what is to be in a cgroup, one for each hierarchy. */
struct cgroup {
    uint8_t namespace; /* whether pid 1 makes itself a namespace in there */
    struct files procs, tasks;
};

/* Strings point into the frame, which has to live as long. */
struct setup {
    uint8_t mode;
    uint32_t namespaces;
    uint32_t uid;
    uint32_t gid;
    struct id_map uids, gids;
    uint8_t root_flags;
    const char *root;
    const char *hostname; /* NULL: not set */
    struct cgroup cgroup;
    const char *upper, *work; /* NULL: no overlay; both empty: it is only tried */
    const uint8_t *filter;    /* of system calls, NULL: none; aligned to nothing */
    uint16_t filter_count;    /* its instructions */
    struct cursor mounts;
    uint32_t mount_count;
};

enum stream { STREAM_OWN = 0, STREAM_NULL = 1, STREAM_PIPE = 2, STREAM_OUTPUT = 3, STREAM_COURIER = 4 };

/* A limit of setrlimit(2). */
struct limit {
    uint8_t resource;
    uint64_t soft, hard;
};

enum { MOST_LIMITS = 6 };

struct command {
    uint32_t id;
    uint8_t streams[3];
    uint8_t limit_count;
    bool alone;    /* it is the only one of its sandbox: a run's */
    bool terminal; /* the program has one of its own, of this size */
    uint16_t columns, rows;
    const char *cwd;
    uint32_t argument_count;
    uint32_t variable_count;
    struct cursor arguments;
    struct cursor variables;
    struct limit limits[MOST_LIMITS];
};

/* NULL: it is as it should be. Else what is wrong with it. */
const char *parse_setup(const uint8_t *data, size_t size, struct setup *setup);
const char *parse_command(const uint8_t *data, size_t size, uint8_t mode, struct command *command);

/* Whether a stream of it comes from the courier. */
bool wants_courier(const struct command *command);

/* The payload of an `L`: what a fork server is to start. */
struct order {
    uint32_t id;
    uint32_t namespaces;
    uint32_t umask;
    uint8_t streams[3]; /* STREAM_NULL or STREAM_PIPE */
    struct cursor greeting; /* core's first frames to the new launcher */
};

bool parse_order(const uint8_t *data, size_t size, struct order *order);

/* The payload of a `D`: for the launcher of a run. */
bool parse_down(const uint8_t *data, size_t size, uint32_t *id, struct cursor *bytes);

/* The payload of a `K`, of a `W`, and of an `O` or `E`. */
bool parse_signal(const uint8_t *data, size_t size, uint32_t *id, uint32_t *number);
bool parse_size(const uint8_t *data, size_t size, uint32_t *id, uint32_t *columns, uint32_t *rows);
bool parse_opened(const uint8_t *data, size_t size, uint32_t *id);

/* The body of the next record, a broken one when it has another tag. */
struct cursor take_record(struct cursor *records, uint8_t tag);

/* Parts of parse_setup. */
const char *parse_id_maps(struct cursor *records, struct setup *setup);
const char *parse_cgroup(struct cursor *records, struct setup *setup);

/* Absolute, and plain: no empty component, no dot, no dot-dot, no slash at the end. */
bool is_path(const char *text);

struct extent extent_at(const struct id_map *map, uint32_t index);
struct id_map one_id(uint32_t inside, uint32_t outside);

/* The next mount of a set-up that was parsed, false after the last: give it a copy of `mounts`. */
bool next_mount(struct cursor *mounts, struct mount *mount);

/* Puts the strings of a command that was parsed, and a NULL, into `array`. */
void list_strings(struct cursor strings, uint32_t count, char **array);

#endif
