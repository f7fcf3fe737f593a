/* The entries of a directory, as getdents64(2) gives them. */
#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

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
