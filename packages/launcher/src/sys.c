#include "sys.h"

#include <errno.h>
#include <string.h>

const char *join(char *buffer, size_t size, const char *const *texts)
{
    size_t at = 0;
    for (; *texts; texts++)
        for (const char *from = *texts; *from && at + 1 < size; from++)
            buffer[at++] = *from;
    buffer[at] = '\0';
    return buffer;
}

const char *decimal(char buffer[NUMBER], uint64_t number)
{
    char *at = buffer + NUMBER - 1;
    *at = '\0';
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return at;
}

const char *fd_path(char buffer[FD_PATH], int fd)
{
    char number[NUMBER];
    const char *const parts[] = {"/proc/self/fd/", decimal(number, (uint32_t)fd), NULL};
    return join(buffer, FD_PATH, parts);
}

bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t size = strlen(text);
    ssize_t wrote = write(fd, text, size);
    int error = wrote < 0 ? errno : EIO;
    close(fd);
    errno = error;
    return wrote == (ssize_t)size;
}

bool read_file(const char *path, char *buffer, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = read(fd, buffer, size - 1);
    int error = errno;
    close(fd);
    errno = error;
    if (got < 0)
        return false;
    buffer[got] = '\0';
    return true;
}

void exit_with_error(const char *what, int error)
{
    char number[NUMBER], text[128];
    const char *const parts[] = {what, ": errno ", decimal(number, (uint32_t)error), "\n", NULL};
    join(text, sizeof text, parts);
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        _exit(1);
    _exit(1);
}
