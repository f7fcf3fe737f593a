/* Memory and strings: what the launcher calls, and what compilers call by themselves. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Keeps a compiler from recognizing the loop that it is in, which it would replace by a call of the very function. */
#define NO_LOOP_IDIOM __asm__ volatile("" ::: "memory")

/* A word that may alias anything and lie anywhere. */
typedef uint64_t __attribute__((may_alias, aligned(1))) word;

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
#if defined(__x86_64__)
    void *at = to;
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(size) : : "memory");
#else
    uint8_t *at = to;
    const uint8_t *source = from;
    for (; size >= sizeof(word); size -= sizeof(word), at += sizeof(word), source += sizeof(word)) {
        *(word *)at = *(const word *)source;
        NO_LOOP_IDIOM;
    }
    for (; size > 0; size--) {
        *at++ = *source++;
        NO_LOOP_IDIOM;
    }
#endif
    return to;
}

void *memset(void *to, int byte, size_t size)
{
#if defined(__x86_64__)
    void *at = to;
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(byte) : "memory");
#else
    uint8_t *at = to;
    const uint64_t eight = (uint8_t)byte * 0x0101010101010101U;
    for (; size >= sizeof(word); size -= sizeof(word), at += sizeof(word)) {
        *(word *)at = eight;
        NO_LOOP_IDIOM;
    }
    for (; size > 0; size--) {
        *at++ = (uint8_t)byte;
        NO_LOOP_IDIOM;
    }
#endif
    return to;
}

int memcmp(const void *one, const void *two, size_t size)
{
    const uint8_t *a = one, *b = two;
    for (size_t at = 0; at < size; at++)
        if (a[at] != b[at])
            return a[at] - b[at];
    return 0;
}

void *memchr(const void *bytes, int byte, size_t size)
{
    for (const uint8_t *at = bytes; size > 0; at++, size--)
        if (*at == (uint8_t)byte)
            return (void *)(uintptr_t)at;
    return NULL;
}

size_t strlen(const char *text)
{
    size_t size = 0;
    while (text[size] != '\0') {
        size++;
        NO_LOOP_IDIOM;
    }
    return size;
}

char *strcpy(char *restrict to, const char *restrict from)
{
    memcpy(to, from, strlen(from) + 1);
    return to;
}

char *strncpy(char *restrict to, const char *restrict from, size_t size)
{
    size_t length = strlen(from);
    if (length > size)
        length = size;
    memset(memcpy(to, from, length) + length, 0, size - length);
    return to;
}

char *strchr(const char *text, int character)
{
    return memchr(text, character, strlen(text) + 1);
}

char *strrchr(const char *text, int character)
{
    const char *last = NULL;
    do
        if (*text == (char)character)
            last = text;
    while (*text++ != '\0');
    return (char *)(uintptr_t)last;
}

int strcmp(const char *one, const char *two)
{
    return strncmp(one, two, SIZE_MAX);
}

int strncmp(const char *one, const char *two, size_t size)
{
    for (; size > 0; one++, two++, size--)
        if (*one != *two || *one == '\0')
            return (uint8_t)*one - (uint8_t)*two;
    return 0;
}

size_t strcspn(const char *text, const char *stops)
{
    size_t size = 0;
    while (text[size] != '\0' && !strchr(stops, text[size]))
        size++;
    return size;
}

/* Takes numbers of base ten without a sign, which are all that the launcher reads. */
unsigned long long strtoull(const char *restrict text, char **restrict end, int base)
{
    unsigned long long number = 0;
    const char *at = text;
    while (*at == ' ' || *at == '\n')
        at++;
    const char *digits = at;
    for (; *at >= '0' && *at <= '9'; at++)
        number = number * (unsigned long long)base + (unsigned long long)(*at - '0');
    if (end)
        *end = (char *)(uintptr_t)(at == digits ? text : at);
    return number;
}
