/* Memory straight from the kernel: the launcher asks for little, and seldom. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In front of what is given out; sixteen bytes, so that anything may lie behind it. */
struct block {
    _Alignas(16) size_t size;
};

static struct block *map(size_t size)
{
    if (size > SIZE_MAX / 2) {
        errno = ENOMEM;
        return NULL;
    }
    long at = syscall(SYS_mmap, NULL, size + sizeof(struct block), (long)(PROT_READ | PROT_WRITE),
                      (long)(MAP_PRIVATE | MAP_ANONYMOUS), -1L, 0L);
    if (at == -1)
        return NULL;
    struct block *block = (struct block *)at;
    block->size = size + sizeof(struct block);
    return block;
}

void *malloc(size_t size)
{
    struct block *block = map(size);
    return block ? block + 1 : NULL;
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return malloc(bytes); /* fresh pages are zero */
}

void free(void *memory)
{
    if (!memory)
        return;
    struct block *block = (struct block *)memory - 1;
    syscall(SYS_munmap, block, block->size);
}

void *realloc(void *memory, size_t size)
{
    if (!memory)
        return malloc(size);
    struct block *block = (struct block *)memory - 1;
    if (size > SIZE_MAX / 2) {
        errno = ENOMEM;
        return NULL;
    }
    long at = syscall(SYS_mremap, block, block->size, size + sizeof *block, (long)MREMAP_MAYMOVE);
    if (at == -1)
        return NULL;
    block = (struct block *)at;
    block->size = size + sizeof *block;
    return block + 1;
}
