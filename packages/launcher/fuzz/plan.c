/* Fuzzes a plan, of which each input is what lies between its head and its sum; and any file, as it is. libFuzzer passes
 * a copy of exactly that size, so that ASan finds a read behind it. */
#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plan plan;
    parse_plan(data, size, &plan);
    check_plan_body(data, size);
    return 0;
}
