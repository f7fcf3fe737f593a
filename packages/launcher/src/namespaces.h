/* What the sandbox has of its own. */
#ifndef SANDBOXLIB_NAMESPACES_H
#define SANDBOXLIB_NAMESPACES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { NAMESPACE_COUNT = 7 };

/* As fork(2); the child is pid 1 of new namespaces. `wanted`: bits of the plan. */
pid_t fork_into_namespaces(uint32_t wanted, bool user, int *pidfd);

/* The program cannot make user namespaces, which open much of the kernel to it. */
void forbid_user_namespaces(void);

void set_hostname(const char *name);

/* Of pid 1, with the kernel's name for each, in the order of the protocol. */
struct identity {
    uint32_t pid; /* as the host sees it */
    uint64_t inodes[NAMESPACE_COUNT];
};

/* Once, before launchers are forked, which have the same. */
void read_own_inodes(void);

/* From outside. Fails for a namespace that was to be made and is the launcher's own. */
void read_identity(struct identity *identity, pid_t pid, uint32_t wanted, bool user);

/* A new one whose root is the cgroup that pid 1 has been put into. */
void enter_cgroup_namespace(struct identity *identity);

#endif
