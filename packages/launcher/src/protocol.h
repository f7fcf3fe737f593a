/* The protocol between core and the launcher, see PROTOCOL.md: bytes, frames, and what is in them. */
#ifndef SANDBOXLIB_PROTOCOL_H
#define SANDBOXLIB_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

/* Core starts the launcher with these two sockets; with the second one for a session only. */
enum { CORE_FD = 3, STREAMS_FD = 4 };

/* On fd 4 a fork server has memory that it shares with its launchers, and that core writes to: a byte for each of so
 * many commands, in which the id of the command modulo this number leads to its own. While that is not 0 the program of
 * the command does not begin. */
enum { KILL_FLAGS_FD = STREAMS_FD, KILL_FLAGS = 1 << 16 };

enum { LARGEST_FRAME = 16 << 20 };

/* Reading: protocol.c. */

/* Reads values off bytes that nobody has checked. Once something does not fit, the cursor is broken: every later value
 * is zero or NULL, and nothing more is read. */
struct cursor {
    const uint8_t *at;
    size_t left;
    bool broken;
};

struct cursor cursor_over(const void *data, size_t size);
/* Whether all of it was read, and nothing was missing. */
bool cursor_done(const struct cursor *cursor);
const uint8_t *take_bytes(struct cursor *cursor, size_t size);
uint8_t take_u8(struct cursor *cursor);
uint32_t take_u32(struct cursor *cursor);
uint64_t take_u64(struct cursor *cursor);
/* A `str`: points into the data, ends in NUL, holds no other. */
const char *take_string(struct cursor *cursor);
/* Whether the next record has this tag. */
bool next_is(const struct cursor *records, uint8_t tag);
/* The body of the next record, a broken one when it has another tag. */
struct cursor take_record(struct cursor *records, uint8_t tag);

struct frame {
    uint8_t *memory; /* to be freed */
    uint8_t type;
    const uint8_t *payload;
    size_t size;
};

enum frame_read { FRAME_READ, FRAME_END, FRAME_BROKEN };

/* Reads one frame from core and not a byte more, because another process may read the next one. */
enum frame_read read_frame(struct frame *frame);
/* The same, into memory of LARGEST_FRAME bytes, which is not to be freed. */
enum frame_read read_frame_at(struct frame *frame, uint8_t *memory);
void free_frame(struct frame *frame);

/* Reads away what core has sent. If a process ended with something unread, the kernel would reset the connection, and
 * core would not read what the process has reported. */
void discard_input(void);
/* The same, and waits for core to hang up, a second at most. */
void wait_for_hangup(void);

/* Reporting: protocol.c. */

/* A frame on its way to core. When memory runs out, the process ends. */
struct report {
    uint8_t *data;
    size_t size;
    size_t room;
};

void begin_report(struct report *report, uint8_t type);
void add_u8(struct report *report, uint8_t value);
void add_u32(struct report *report, uint32_t value);
void add_u64(struct report *report, uint64_t value);
void add_bytes(struct report *report, const void *bytes, size_t size);
void add_string(struct report *report, const char *text);
void send_report(struct report *report);

enum failure {
    FAILED_PROTOCOL = 0,
    FAILED_SETUP = 1,
    FAILED_PATH = 2,
    FAILED_EXEC = 3,
    FAILED_READBACK = 4,
    FAILED_CWD = 5,
    FAILED_END = 6,
    FAILED_INIT = 7,
    FAILED_LIMIT = 8,
};

void report_failed(uint32_t id, enum failure kind, int error, const char *what);
void report_exited(uint32_t id, int status, const struct rusage *usage);

/* Reports that the sandbox cannot be made, and ends this process; the sandbox ends with it. */
_Noreturn void fail(enum failure kind, int error, const char *what);

/* Names the field of the config that is being set up, until the next call. Every failure reports it. */
void set_field(const char *field);

/* Whether `fail` waits until core has hung up, a second at most. If the process were gone when core writes to it, Node
 * would not read the report. Only the launcher waits, because it is the only reader of the socket by then. */
void wait_after_failure(bool waits);

/* The set-up: setup.c. It is checked as a whole before anything is done. No system calls. */

enum mode { MODE_RUN = 0, MODE_SESSION = 1 };

enum namespaces {
    NAMESPACE_USER = 1,
    NAMESPACE_IPC = 2,
    NAMESPACE_UTS = 4,
    NAMESPACE_CGROUP = 8,
    NAMESPACE_NET = 16,
    ALL_NAMESPACES = 31,
    /* No namespace of its own: further user namespaces can be made in the one for users. */
    NESTING = 32,
};

/* Whether these are bits of a set-up. */
bool are_namespaces(uint64_t bits);

/* The most instructions that the kernel takes in a filter of system calls, and the bytes of one. */
enum { MOST_INSTRUCTIONS = 4096, INSTRUCTION = 8 };

enum mount_type {
    MOUNT_BIND = 'b',
    MOUNT_TMPFS = 't',
    MOUNT_PROC = 'p',
    MOUNT_DEV = 'd',
    MOUNT_MASK = 'h',
    MOUNT_MIRROR = 'r',
};

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

/* A map of user_namespaces(7). */
struct id_map {
    const char *tool; /* the program that writes it, empty: the launcher */
    uint32_t count;   /* 0: the set-up has no map */
    struct cursor extents;
    struct extent one; /* the only extent, where `extents` is empty */
};

/* The capabilities that a set-up may keep, by their numbers in linux/capability.h: those to install and to build software
 * with. None of them is power over the kernel, over devices, or over processes outside: chown, dac_override, fowner,
 * fsetid, kill, setgid, setuid, setpcap, net_bind_service, sys_chroot and setfcap. */
#define KEEPABLE_CAPABILITIES                                                                                \
    (UINT64_C(1) << 0 | UINT64_C(1) << 1 | UINT64_C(1) << 3 | UINT64_C(1) << 4 | UINT64_C(1) << 5 |          \
     UINT64_C(1) << 6 | UINT64_C(1) << 7 | UINT64_C(1) << 8 | UINT64_C(1) << 10 | UINT64_C(1) << 18 |        \
     UINT64_C(1) << 31)

struct files {
    uint32_t count;
    struct cursor names;
};

/* The files that take the pid of what is to be in a cgroup, one for each hierarchy. */
struct cgroup {
    struct files procs, tasks;
};

/* A filter of system calls. */
struct filter {
    const uint8_t *instructions; /* NULL: none; not aligned */
    uint16_t count;
};

/* Strings point into the frame, which has to live as long. */
struct setup {
    uint8_t mode;
    uint32_t namespaces;
    uint32_t uid;
    uint32_t gid;
    struct id_map uids, gids;
    uint64_t capabilities; /* that are kept */
    uint8_t root_flags;
    const char *root;
    const char *hostname; /* NULL: not set */
    struct cgroup cgroup;
    const char *upper, *work; /* NULL: no overlay; both empty: it is only tried */
    struct filter filter;         /* of system calls, for everything in the sandbox */
    struct filter program_filter; /* for the programs alone, pid 1 could not live with it */
    struct cursor mounts;
    uint32_t mount_count;
};

/* Returns what is wrong with it, or NULL. */
const char *parse_setup(const uint8_t *data, size_t size, struct setup *setup);

/* The next mount of a set-up that was parsed, false after the last one. `mounts` is a copy of the set-up's. */
bool next_mount(struct cursor *mounts, struct mount *mount);

struct extent extent_at(const struct id_map *map, uint32_t index);

/* Commands and short frames: command.c. No system calls. */

enum stream { STREAM_OWN = 0, STREAM_NULL = 1, STREAM_PIPE = 2, STREAM_OUTPUT = 3, STREAM_SENT = 4, STREAM_LARGE = 5 };

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

/* Returns what is wrong with it, or NULL. */
const char *parse_command(const uint8_t *data, size_t size, uint8_t mode, struct command *command);

/* Puts the strings of a command that was parsed, and a NULL, into `array`. */
void list_strings(struct cursor strings, uint32_t count, char **array);

/* The payload of an `L`: the launcher that the fork server is to start. */
struct launch_request {
    uint32_t id;
    uint32_t namespaces;
    uint32_t umask;
    uint8_t streams[3];          /* STREAM_NULL or STREAM_PIPE */
    bool waits;                  /* it has no command yet */
    struct cursor initial_bytes; /* core's first frames to the new launcher */
};

/* False when the payload is not what it should be. */
bool parse_launch_request(const uint8_t *data, size_t size, struct launch_request *request);
enum { MOST_TOOL_FDS = 8, TOOL_FD_END = 64 };

/* What a tool finds on an fd: a pipe that core writes to, one that core reads, or bytes. */
enum tool_fd_kind { TOOL_FD_FROM_CORE = 1, TOOL_FD_TO_CORE = 2, TOOL_FD_DATA = 3 };

struct tool_fd {
    int number;
    enum tool_fd_kind kind;
    struct cursor data;
};

/* `T`: a program of the host that the fork server starts for core. */
struct tool_request {
    uint32_t id;
    uint32_t umask;
    uint64_t open_files; /* the soft limit, or 0 for that of the server */
    uint8_t streams[3]; /* STREAM_NULL, STREAM_PIPE, or STREAM_OUTPUT for standard error */
    bool read_only_dev;
    struct cursor arguments, variables;
    uint32_t argument_count, variable_count;
    uint32_t fd_count;
    struct tool_fd fds[MOST_TOOL_FDS]; /* at most three of them are pipes */
};

/* False when the payload is not what it should be. */
bool parse_tool_request(const uint8_t *data, size_t size, struct tool_request *request);
/* `D` */
bool parse_data(const uint8_t *data, size_t size, uint32_t *id, struct cursor *bytes);
/* `K` */
bool parse_signal(const uint8_t *data, size_t size, uint32_t *id, uint32_t *number);
/* `W` */
bool parse_window_size(const uint8_t *data, size_t size, uint32_t *id, uint32_t *columns, uint32_t *rows);
/* `O` and `E` */
bool parse_id(const uint8_t *data, size_t size, uint32_t *id);

#endif
