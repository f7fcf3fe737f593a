/* How an attack says what came out: lines of words with tabs between them. */
#include "program.h"

#include <linux/limits.h>

static void line(const char *const *texts, size_t count);
static size_t escaped(char *to, size_t room, const char *text);

void got(const char *how)
{
    got_at(how, "");
}

void got_at(const char *how, const char *where)
{
    line((const char *const[]){"got", how, where}, 3);
}

void refused(const char *how, const char *where, int error)
{
    char number[DIGITS];
    line((const char *const[]){"refused", how, where, digits(number, (uint64_t)error)}, 4);
}

bool tried(const char *how, const char *where, long result)
{
    if (result < 0)
        refused(how, where, errno);
    else
        got_at(how, where);
    return result >= 0;
}

void say(const char *word, const char *text)
{
    line((const char *const[]){word, text}, 2);
}

void say_number(const char *word, uint64_t number)
{
    char text[DIGITS];
    say(word, digits(text, number));
}

/* In one write, so that lines of several processes do not mix. */
static void line(const char *const *texts, size_t count)
{
    char text[3 * PATH_SIZE];
    size_t size = 0;
    for (size_t index = 0; index < count; index++) {
        size += escaped(text + size, sizeof text - size - 1, texts[index]);
        text[size++] = index + 1 < count ? '\t' : '\n';
    }
    if (write(1, text, size) < 0)
        _exit(3);
}

/* A path may have any byte in it: all but printable ones, and the backslash, become \xNN. */
static size_t escaped(char *to, size_t room, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    size_t size = 0;
    for (; *text != '\0' && size + 4 < room; text++) {
        uint8_t byte = (uint8_t)*text;
        if (byte >= ' ' && byte < 0x7f && byte != '\\') {
            to[size++] = *text;
            continue;
        }
        to[size++] = '\\', to[size++] = 'x';
        to[size++] = hex[byte >> 4], to[size++] = hex[byte & 15];
    }
    return size;
}

uint64_t number_of(const char *text)
{
    return strtoull(text, NULL, 10);
}

const char *digits(char buffer[DIGITS], uint64_t number)
{
    char *at = buffer + DIGITS - 1;
    *at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return at;
}

const char *joined(char buffer[PATH_SIZE], const char *one, const char *two, const char *three, const char *four)
{
    const char *const texts[] = {one, two, three, four};
    size_t size = 0;
    for (size_t index = 0; index < 4; index++)
        for (const char *at = texts[index]; *at != '\0' && size + 1 < PATH_SIZE; at++)
            buffer[size++] = *at;
    buffer[size] = '\0';
    return buffer;
}

bool in_child(void (*run)(char **words), char **words)
{
    int status = 0;
    long pid = sys_fork();
    if (pid == 0) {
        run(words);
        _exit(0);
    }
    return pid > 0 && syscall(SYS_wait4, pid, &status, 0, NULL) == pid && status == 0;
}

int holds(const char *path, const char *text)
{
    char bytes[PATH_SIZE + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno;
    long size = syscall(SYS_read, fd, bytes, PATH_SIZE);
    int error = size < 0 ? errno : ENODATA;
    close(fd);
    size_t length = strlen(text);
    for (long at = 0; at + (long)length <= size; at++)
        if (memcmp(bytes + at, text, length) == 0)
            return 0;
    return error;
}

int content_of(const char *path)
{
    char bytes[PATH_SIZE];
    struct stat info;
    if (fstatat(AT_FDCWD, path, &info, 0) != 0)
        return errno;
    bool is_directory = S_ISDIR(info.st_mode);
    /* To open a FIFO or a device may be all that its owner waits for. */
    if (!is_directory && !S_ISREG(info.st_mode))
        return EINVAL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno;
    long size = is_directory ? syscall(SYS_getdents64, fd, bytes, sizeof bytes)
                             : syscall(SYS_read, fd, bytes, sizeof bytes);
    int error = size < 0 ? errno : ENODATA;
    close(fd);
    if (!is_directory)
        return size > 0 ? 0 : error;
    /* Every directory has two entries, of 24 bytes each. */
    return size > 48 ? 0 : error;
}

void wait_for_end(void)
{
    char byte;
    while (syscall(SYS_read, 0, &byte, 1) > 0)
        continue;
}
