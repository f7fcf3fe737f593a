/* Fuzzes the set-up. libFuzzer passes a copy of exactly that size, so that ASan finds a read behind it. */
#include <stdlib.h>
#include <string.h>

#include "check.h"

enum { HEAD = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

static uint8_t *pick_record(uint8_t *data, size_t size, unsigned seed, uint32_t *length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct setup setup;
    if (!parse_setup(data, size, &setup))
        check_setup(&setup, data, size);
    return 0;
}

/* A random change hardly ever fits a body and its length together, so half of the changes are made to one body, and its
 * length is adapted. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    uint32_t length;
    uint8_t *record = seed % 2 ? pick_record(data, size, seed / 2, &length) : NULL;
    if (!record || length + (most - size) == 0)
        return LLVMFuzzerMutate(data, size, most);
    uint8_t *body = record + HEAD;
    size_t behind = (size_t)(data + size - body) - length;
    uint8_t *rest = malloc(behind + 1);
    expect(rest != NULL);
    memcpy(rest, body + length, behind);
    size_t changed = LLVMFuzzerMutate(body, length, length + (most - size));
    memcpy(body + changed, rest, behind);
    free(rest);
    for (int byte = 0; byte < 4; byte++)
        record[1 + byte] = (uint8_t)(changed >> (8 * byte));
    return size - length + changed;
}

/* The last complete one of the first few records, NULL when there is none. */
static uint8_t *pick_record(uint8_t *data, size_t size, unsigned seed, uint32_t *length)
{
    struct cursor cursor = cursor_over(data, size);
    uint8_t *picked = NULL;
    for (unsigned count = 1 + seed % 12; count > 0; count--) {
        uint8_t *at = data + (size - cursor.left);
        take_u8(&cursor);
        uint32_t claimed = take_u32(&cursor);
        if (!take_bytes(&cursor, claimed) || cursor.broken)
            break;
        picked = at;
        *length = claimed;
    }
    return picked;
}
