/* Queues of System V and of POSIX, and keys. The host makes them, looks for them and takes them away with this program. */
#include "program.h"

#include <linux/keyctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/shm.h>

/* The first word is the number of a queue, and the second the name of one. */
void attack_queue_make(char **words)
{
    long key = (long)number_of(words[0]);
    tried("msgget", "", syscall(SYS_msgget, key, IPC_CREAT | IPC_EXCL | 0600));
    tried("shmget", "", syscall(SYS_shmget, key, 4096UL, IPC_CREAT | IPC_EXCL | 0600));
    tried("mq_open", "", syscall(SYS_mq_open, words[1], O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, NULL));
}

void attack_queue_find(char **words)
{
    long key = (long)number_of(words[0]);
    tried("msgget", "", syscall(SYS_msgget, key, 0));
    tried("shmget", "", syscall(SYS_shmget, key, 0UL, 0));
    tried("mq_open", "", syscall(SYS_mq_open, words[1], O_RDONLY | O_CLOEXEC, 0, NULL));
}

void attack_queue_remove(char **words)
{
    long key = (long)number_of(words[0]);
    syscall(SYS_msgctl, syscall(SYS_msgget, key, 0), IPC_RMID, NULL);
    syscall(SYS_shmctl, syscall(SYS_shmget, key, 0UL, 0), IPC_RMID, NULL);
    syscall(SYS_mq_unlink, words[1]);
}

static const struct {
    const char *name;
    long ring;
} rings[] = {{"session", KEY_SPEC_SESSION_KEYRING}, {"user", KEY_SPEC_USER_KEYRING}};

/* The first word is the name of a key. */
void attack_key_make(char **words)
{
    char name[PATH_SIZE];
    for (size_t index = 0; index < 2; index++) {
        joined(name, words[0], "-", rings[index].name, "");
        tried("add_key", rings[index].name, syscall(SYS_add_key, "user", name, "secret", 6UL, rings[index].ring));
    }
}

void attack_key_find(char **words)
{
    char name[PATH_SIZE];
    for (size_t index = 0; index < 2; index++) {
        joined(name, words[0], "-", rings[index].name, "");
        tried("find a key", rings[index].name,
              syscall(SYS_keyctl, (long)KEYCTL_SEARCH, rings[index].ring, "user", name, 0L));
    }
}

void attack_key_remove(char **words)
{
    char name[PATH_SIZE];
    for (size_t index = 0; index < 2; index++) {
        joined(name, words[0], "-", rings[index].name, "");
        long key = syscall(SYS_keyctl, (long)KEYCTL_SEARCH, rings[index].ring, "user", name, 0L);
        if (key > 0)
            syscall(SYS_keyctl, (long)KEYCTL_INVALIDATE, key, 0L, 0L, 0L);
    }
}
