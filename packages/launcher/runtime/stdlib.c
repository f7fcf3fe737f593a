/* Memory, directories, and the search for a program in PATH. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LONGEST_PATH = 4096 };

/* Every allocation is a mapping of its own, because the launcher makes few. This header precedes what malloc returns,
 * and is sixteen bytes long, so that the memory behind it is aligned for any type. */
struct block {
    _Alignas(16) size_t size;
};

static bool join_path(char *path, const char *directory, size_t size, const char *name);
static const char *search_path(void);

void *malloc(size_t size)
{
    if (size > SIZE_MAX / 2) {
        errno = ENOMEM;
        return NULL;
    }
    size_t whole = size + sizeof(struct block);
    struct block *block = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED)
        return NULL;
    block->size = whole;
    return block + 1;
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return malloc(bytes); /* the kernel hands out zeroed pages */
}

void free(void *memory)
{
    if (!memory)
        return;
    struct block *block = (struct block *)memory - 1;
    munmap(block, block->size);
}

void *realloc(void *memory, size_t size)
{
    if (!memory)
        return malloc(size);
    if (size > SIZE_MAX / 2) {
        errno = ENOMEM;
        return NULL;
    }
    struct block *block = (struct block *)memory - 1;
    size_t whole = size + sizeof *block;
    block = mremap(block, block->size, whole, MREMAP_MAYMOVE);
    if (block == MAP_FAILED)
        return NULL;
    block->size = whole;
    return block + 1;
}

/* The entries are kept as getdents64(2) returns them. */
struct __dirstream {
    int fd;
    long at, size;
    _Alignas(struct dirent) char entries[32768];
};

DIR *fdopendir(int fd)
{
    DIR *directory = malloc(sizeof *directory);
    if (directory)
        directory->fd = fd, directory->at = directory->size = 0;
    return directory;
}

struct dirent *readdir(DIR *directory)
{
    if (directory->at >= directory->size) {
        directory->at = 0;
        directory->size = syscall(SYS_getdents64, directory->fd, directory->entries,
                                  sizeof directory->entries);
        if (directory->size <= 0)
            return NULL;
    }
    struct dirent *entry = (struct dirent *)(directory->entries + directory->at);
    directory->at += entry->d_reclen;
    return entry;
}

int closedir(DIR *directory)
{
    int fd = directory->fd;
    free(directory);
    return close(fd);
}

/* Looks for a name without a slash in PATH. Unlike a libc's, it does not hand a file that the kernel refuses to a
 * shell: the shell would fail with a status that looks like the program's own. */
int execvp(const char *name, char *const words[])
{
    char path[LONGEST_PATH];
    bool denied = false;
    if (strchr(name, '/'))
        return execve(name, words, environ);
    errno = ENOENT;
    for (const char *at = search_path(); *name != '\0'; at++) {
        size_t size = strcspn(at, ":");
        if (join_path(path, at, size, name)) {
            execve(path, words, environ);
            denied |= errno == EACCES;
            if (errno != EACCES && errno != ENOENT && errno != ENOTDIR)
                return -1;
        }
        at += size;
        if (*at == '\0')
            break;
    }
    if (denied)
        errno = EACCES;
    return -1;
}

int execve(const char *path, char *const words[], char *const variables[])
{
    return (int)syscall(SYS_execve, path, words, variables);
}

int execl(const char *path, const char *word, ...)
{
    const char *words[16] = {word};
    va_list list;
    va_start(list, word);
    for (size_t index = 0; index + 1 < sizeof words / sizeof *words && words[index]; index++)
        words[index + 1] = index + 2 < sizeof words / sizeof *words ? va_arg(list, const char *) : NULL;
    va_end(list);
    return (int)syscall(SYS_execve, path, words, environ);
}

static const char *search_path(void)
{
    for (char **variable = environ; *variable; variable++)
        if (strncmp(*variable, "PATH=", 5) == 0)
            return *variable + 5;
    return "/bin:/usr/bin";
}

/* An empty directory in PATH means the working directory. */
static bool join_path(char *path, const char *directory, size_t size, const char *name)
{
    size_t length = strlen(name);
    if (size + length + 2 > LONGEST_PATH)
        return false;
    memcpy(path, directory, size);
    path[size] = '/';
    memcpy(path + size + (size > 0 ? 1 : 0), name, length + 1);
    return true;
}
