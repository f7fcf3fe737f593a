/* The sandbox: pid 1, which makes it and starts its programs, and what it is made of but for its mounts. */
#ifndef SANDBOXLIB_SANDBOX_H
#define SANDBOXLIB_SANDBOX_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "protocol.h"

enum { NAMESPACE_COUNT = 7 };

/* Who pid 1 is: the inodes are the kernel's names of its namespaces, in the order of the protocol. */
struct identity {
    uint32_t pid; /* as the host sees it */
    uint64_t inodes[NAMESPACE_COUNT];
};

/* What the launcher tells pid 1 when the set-up has been read, and pid 1 has its ids and its cgroup. */
struct go_ahead {
    struct identity identity;
    size_t setup_size;
    bool caller_is_program; /* they have the same ids */
};

struct sandbox {
    struct setup setup;
    uint8_t *shared;     /* memory that the launcher and pid 1 share, for the set-up */
    uint32_t namespaces; /* the set-up's, known before it is read */
    int null;            /* /dev/null, open */
    int launcher;        /* a socket to the launcher */
    mode_t umask;        /* the caller's, for the program */
    const volatile uint8_t *kill_flags; /* NULL: no fork server has started the launcher */
};

/* What the kernel says of the sandbox once it is made. It has to be what was asked for. */
struct readback {
    struct identity identity;
    uint64_t root_flags;
    uint64_t capabilities;
    uint8_t no_new_privs;
    struct report mounts; /* the end of the `R` frame */
};

/* Pid 1: init.c. `launcher_end`: the other end of `launcher`, to be closed. */
_Noreturn void init(const struct sandbox *sandbox, int launcher_end);
void report_ready(struct readback *readback);

/* Pid 1 when the sandbox is made, for one command, which may come later: run.c; or for any number: session.c. */
_Noreturn void serve_run(const struct sandbox *sandbox, struct readback *readback);
_Noreturn void serve_session(const struct sandbox *sandbox, struct readback *readback);

/* The process that becomes a program: program.c. */

/* What it tells pid 1 over its status pipe, which the exec closes. */
struct start_status {
    uint32_t id;
    bool failed;
    enum failure kind;
    int error;
    char what[64];
};

/* Executes the program with `streams` as its fds 0, 1 and 2. What fails is written to `status_fd`. */
_Noreturn void become_command(const struct sandbox *sandbox, const struct command *command,
                              const int streams[3], int status_fd);

void write_status(int status_fd, uint32_t id, bool failed, enum failure kind, int error, const char *what);

/* Reads the last status once the other end is closed; false when there was none. */
bool read_status(int status_fd, struct start_status *status);

/* Namespaces: namespaces.c. `wanted` is the set-up's bits, `user` whether there is a user namespace. */

/* As fork(2); the child is pid 1 of new namespaces, but for those that it makes itself. */
pid_t fork_into_namespaces(uint32_t wanted, bool user, int *pidfd);

/* Reads the inodes of this process's namespaces, once: launchers that are forked later have the same ones. */
void read_own_inodes(void);

/* In the launcher. Fails when a namespace that was to be new is the launcher's own. */
void read_identity(struct identity *identity, pid_t pid, uint32_t wanted, bool user);

/* In pid 1, when it is in its cgroup, which becomes the root of the cgroup namespace: makes those for mounts, host name
 * and cgroups, which are copies of what the host has now. */
void enter_late_namespaces(uint32_t wanted, struct identity *identity);

/* Keeps the program from making user namespaces, which would open much of the kernel to it. */
void forbid_user_namespaces(void);
void set_hostname(const char *name);

/* A new network namespace has its loopback interface down. */
void bring_loopback_up(void);

/* The cgroup that core has made for the sandbox: cgroup.c. */

/* In the launcher, which stays outside: it has to outlive whatever the cgroup's limits kill. */
void put_into_cgroup(pid_t pid, const struct cgroup *cgroup);

/* In pid 1, for a cgroup of version 1. This way the kernel does not wait for all processors, which takes 20 ms; a
 * cgroup of version 2 cannot be entered like that. */
void enter_cgroup(const struct cgroup *cgroup);

/* Uid and gid: ids.c. */

/* In the launcher, where it may: a child in a user namespace could not drop its supplementary groups, and they would
 * open files to the program. */
void drop_groups(void);

/* Notes the ids of the program and of the caller. Sources of mounts are looked up as the caller. Filesystems in memory
 * are made as the program, as the kernel makes no inodes for an owner whom the user namespace does not map. `same`: the
 * two are one, which their numbers do not tell, since an id that is not mapped looks like another one. */
void choose_ids(const struct setup *setup, bool same);
void as_program(void);
void as_caller(void);

/* Whether a file with this owner or group is the program's. */
bool is_program(uid_t owner);
bool is_program_group(gid_t group);

/* Whether the program has the id that the kernel shows for every owner who is not mapped. A file of that owner may then
 * be the program's or anybody's. */
bool has_overflow_id(void);

/* Takes the program's ids for good. */
void become_program(const struct setup *setup);

/* The ids of a new user namespace: idmap.c. Without maps in the set-up the launcher maps one id, the program's: to the
 * same number outside where it may choose, so that what the program makes belongs to that id, else to its own. Returns
 * whether the program has the ids of the launcher outside. */
bool map_ids(pid_t child, const struct setup *setup);

/* What processes of the sandbox may do: privileges.c. */

/* Whether it is in the effective set of this process. */
bool has_capability(int capability);

/* Keeps capabilities over a change of ids, as the set-up needs them afterwards. */
void keep_capabilities(void);

/* The part of dropping privileges that can be done before the set-up is read: what it cannot keep, as the program has a
 * user namespace of its own or not. */
void begin_to_drop(bool own_user);

/* Keys of the caller's session are not the program's. */
void leave_keyring(void);

/* Empties every set of capabilities, so that no exec brings any back, and keeps processes of the same uid from tracing
 * this one. Of those that the set-up keeps, this process and the program have what the caller has. */
void drop_privileges(const struct setup *setup);

/* The union of the five sets of capabilities. */
uint64_t read_capabilities(void);

/* Has the kernel kill this process when the launcher dies. Each change of credentials undoes it. `launcher` is a socket
 * whose other end only the launcher holds. */
void die_with_launcher(int launcher);

/* Loads the set-up's filter of system calls for this process and all that it starts. Needs no_new_privs. */
void load_filter(const struct setup *setup);

/* The same of any filter, also of none. False, with errno, when the kernel does not take it. */
bool set_filter(const struct filter *filter);

#endif
