/* The functions on bytes and strings that the launcher uses, and those that compilers call by themselves. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Keeps a compiler from seeing what a loop does, and putting a call of the very function in its place. */
#define STEP __asm__ volatile("" ::: "memory")

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        ((uint8_t *)to)[at] = ((const uint8_t *)from)[at];
        STEP;
    }
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        ((uint8_t *)to)[at] = (uint8_t)byte;
        STEP;
    }
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
        STEP;
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
    size_t length = strlen(from) < size ? strlen(from) : size;
    memset(memcpy(to, from, length) + length, 0, size - length);
    return to;
}

char *strchr(const char *text, int character)
{
    return memchr(text, character, strlen(text) + 1);
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

/* In base ten, without a sign. */
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
