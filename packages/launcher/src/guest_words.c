/* The words of a guest, and what it finds on the fds that they name. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"
#include "sandbox.h"
#include "sys.h"

static bool take_text(const char *word, const char *name, const char **value);
static bool take_channel(const char *word, struct guest *guest);
static int open_channel(enum channel channel, const char *value);

bool parse_guest_words(char **words, struct guest *guest)
{
    for (; *words && strcmp(*words, "--") != 0; words++)
        if (!take_text(*words, "cwd=/", &guest->cwd) && !take_text(*words, "root=/", &guest->root) &&
            !take_text(*words, "user=", &guest->user) && !is_guest_setting(*words) && !take_channel(*words, guest))
            return false;
    guest->program = *words ? words + 1 : words;
    return guest->fds[REPORT] >= 0 && (*guest->program == NULL) == (guest->fds[COMMAND] >= 0) &&
           (guest->root || !guest->user) && take_guest_streams(guest->options);
}

/* `name` ends in `=`, or in the slash with which a path begins. */
static bool take_text(const char *word, const char *name, const char **value)
{
    if (strncmp(word, name, strlen(name)) != 0 || *value)
        return false;
    *value = strchr(word, '=') + 1;
    return true;
}

static bool take_channel(const char *word, struct guest *guest)
{
    static const char *const names[CHANNELS] = {"report=", "lifeline=", "variables=",
                                                "filter=", "profile=", "command="};
    for (int channel = 0; channel < CHANNELS; channel++) {
        size_t size = strlen(names[channel]);
        if (strncmp(word, names[channel], size) != 0 || guest->fds[channel] >= 0)
            continue;
        guest->fds[channel] = open_channel((enum channel)channel, word + size);
        return guest->fds[channel] > STDERR_FILENO && fcntl(guest->fds[channel], F_SETFD, FD_CLOEXEC) == 0;
    }
    return false;
}

/* The number of an fd, or the path of a file or a FIFO: a container engine hands on none, but binds files. */
static int open_channel(enum channel channel, const char *value)
{
    char *end;
    if (value[0] == '/')
        return open(value, (channel == REPORT ? O_WRONLY | O_APPEND : O_RDONLY) |
                               (channel == LIFELINE ? O_NONBLOCK : 0) | O_CLOEXEC);
    unsigned long long fd = strtoull(value, &end, 10);
    return value[0] < '0' || value[0] > '9' || *end != '\0' || fd > INT32_MAX ? -1 : (int)fd;
}

void close_other_fds(const struct guest *guest)
{
    unsigned from = STDERR_FILENO + 1;
    for (;;) {
        unsigned next = ~0U;
        for (int channel = 0; channel < CHANNELS; channel++)
            if (guest->fds[channel] >= 0 && (unsigned)guest->fds[channel] >= from && (unsigned)guest->fds[channel] < next)
                next = (unsigned)guest->fds[channel];
        if (from < next && sys_close_range(from, next - (next != ~0U), 0) != 0)
            give_up_guest(guest, "close_range", errno);
        if (next == ~0U)
            return;
        from = next + 1;
    }
}

char **read_guest_texts(const struct guest *guest, enum channel channel, const char *what)
{
    size_t size, count = 0;
    char *text = (char *)read_guest_fd(guest->fds[channel], &size);
    if (!text || (size > 0 && text[size - 1] != '\0'))
        give_up_guest(guest, what, text ? EINVAL : errno);
    for (size_t at = 0; at < size; at += strlen(text + at) + 1)
        count++;
    char **texts = calloc(count + 1, sizeof *texts);
    if (!texts)
        give_up_guest(guest, "calloc", ENOMEM);
    count = 0;
    for (size_t at = 0; at < size; at += strlen(text + at) + 1)
        texts[count++] = text + at;
    return texts;
}

struct filter read_guest_filter(const struct guest *guest, enum channel channel)
{
    size_t size;
    if (guest->fds[channel] < 0)
        return (struct filter){NULL, 0};
    const uint8_t *filter = read_guest_fd(guest->fds[channel], &size);
    const size_t count = size / sizeof(struct sock_filter);
    if (!filter || count == 0 || count > MOST_INSTRUCTIONS || size % sizeof(struct sock_filter) != 0)
        give_up_guest(guest, "filter", filter ? EINVAL : errno);
    return (struct filter){filter, (uint16_t)count};
}

uint8_t *read_guest_fd(int fd, size_t *size)
{
    uint8_t *memory =
        mmap(NULL, LARGEST_FRAME, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    for (*size = 0;;) {
        ssize_t got = read(fd, memory + *size, LARGEST_FRAME - *size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got > 0 && (*size += (size_t)got) < LARGEST_FRAME)
            continue;
        close(fd);
        if (got > 0)
            errno = E2BIG;
        return got == 0 ? memory : NULL;
    }
}
