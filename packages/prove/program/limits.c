/* Attacks on limits: each takes somewhat more than it may. */
#include "program.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

enum { MEBIBYTE = 1024 * 1024 };

/* Writes to so many bytes of memory. */
void attack_memory(char **words)
{
    uint64_t bytes = number_of(*words);
    for (uint64_t done = 0; done < bytes; done += MEBIBYTE) {
        char *part = mmap(NULL, MEBIBYTE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (part == MAP_FAILED)
            return refused("use memory", *words, errno);
        for (size_t at = 0; at < MEBIBYTE; at += 4096)
            part[at] = 1;
    }
    got_at("use memory", *words);
}

/* Has so many processes at a time, this one included; they end when this one does. */
void attack_processes(char **words)
{
    uint64_t count = number_of(*words);
    int ends[2];
    char byte;
    if (syscall(SYS_pipe2, ends, O_CLOEXEC) != 0)
        return refused("start processes", *words, errno);
    for (uint64_t made = 1; made < count; made++) {
        long pid = sys_fork();
        if (pid == 0) {
            close(ends[1]);
            syscall(SYS_read, ends[0], &byte, 1);
            _exit(0);
        }
        if (pid < 0)
            return refused("start processes", *words, errno);
    }
    got_at("start processes", *words);
}

static uint64_t now(int clock)
{
    struct timespec time;
    syscall(SYS_clock_gettime, clock, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* Keeps a processor busy for so many milliseconds of real time, in as many processes as the second word says, and says how
 * much of the processors' time each had. */
void attack_burn(char **words)
{
    uint64_t until = now(1) + number_of(words[0]);
    for (uint64_t more = number_of(words[1]); more > 1; more--)
        if (sys_fork() == 0)
            break;
    while (now(1) < until)
        for (volatile int turn = 0; turn < 100000; turn++)
            continue;
    say_number("used", now(2));
    while (syscall(SYS_wait4, -1, NULL, 0, NULL) > 0)
        continue;
}

void attack_address_space(char **words)
{
    void *memory = mmap(NULL, number_of(*words), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    tried("map memory", *words, memory == MAP_FAILED ? -1 : 0);
}

/* A file in memory, so that nothing has to be writable. */
void attack_file_size(char **words)
{
    struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } ignored = {(void *)1, 0, NULL, 0};
    syscall(SYS_rt_sigaction, SIGXFSZ, &ignored, NULL, 8);
    long fd = syscall(SYS_memfd_create, "file", 0);
    if (fd < 0)
        return refused("memfd_create", "", errno);
    tried("make a file of size", *words, syscall(SYS_ftruncate, fd, number_of(*words)));
}

void attack_open_files(char **words)
{
    uint64_t count = number_of(*words);
    for (uint64_t opened = 3; opened < count; opened++)
        if (syscall(SYS_dup, 0) < 0)
            return refused("open files", *words, errno);
    got_at("open files", *words);
}

static __attribute__((noinline)) void deepen(volatile char *above, uint64_t bytes)
{
    volatile char frame[65536];
    frame[0] = *above;
    frame[sizeof frame - 1] = frame[0];
    if (bytes > sizeof frame)
        deepen(frame + sizeof frame - 1, bytes - sizeof frame);
    *above = frame[sizeof frame - 1];
}

static void deep(char **words)
{
    volatile char first = 1;
    deepen(&first, number_of(*words));
}

void attack_stack(char **words)
{
    if (in_child(deep, words))
        got_at("use a stack of", *words);
    else
        refused("use a stack of", *words, EFAULT);
}

/* Raises limits beyond the largest that they may have: the words are the numbers of resources. */
void attack_raise(char **words)
{
    for (; *words; words++) {
        struct rlimit limit;
        uint64_t resource = number_of(*words);
        if (syscall(SYS_prlimit64, 0, resource, NULL, &limit) != 0 || limit.rlim_max == RLIM_INFINITY) {
            got_at("have no limit", *words);
            continue;
        }
        limit.rlim_cur = limit.rlim_max += 1;
        tried("raise the limit", *words, syscall(SYS_prlimit64, 0, resource, &limit, NULL));
    }
}

/* Writes so many bytes, the second word, to a file. */
void attack_fill(char **words)
{
    static char block[MEBIBYTE];
    int fd = open(words[0], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return refused("make", words[0], errno);
    for (uint64_t left = number_of(words[1]); left > 0;) {
        long size = syscall(SYS_write, fd, block, left < sizeof block ? left : sizeof block);
        if (size < 0) {
            refused("write bytes", words[1], errno);
            unlinkat(AT_FDCWD, words[0], 0);
            return;
        }
        left -= (uint64_t)size;
    }
    got_at("write bytes", words[1]);
    unlinkat(AT_FDCWD, words[0], 0);
}

/* Makes so many empty files, the second word, in a directory. */
void attack_inodes(char **words)
{
    uint64_t count = number_of(words[1]), made = 0;
    char path[PATH_SIZE], number[DIGITS];
    int error = 0;
    for (; made < count && error == 0; made++) {
        joined(path, words[0], "/.sandboxlib-prove-", digits(number, made), "");
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
            error = errno;
        else
            close(fd);
    }
    for (uint64_t index = 0; index < made; index++)
        unlinkat(AT_FDCWD, joined(path, words[0], "/.sandboxlib-prove-", digits(number, index), ""), 0);
    if (error == 0)
        got_at("make files", words[1]);
    else
        refused("make files", words[1], error);
}
