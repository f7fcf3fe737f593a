#include "outcome.h"

#include <unistd.h>

#include "frame.h"

static const char *field = "";
static bool lingering;

static uint64_t microseconds(struct timeval time);

void at_field(const char *place)
{
    field = place;
}

void fail(enum failure kind, int error, const char *what)
{
    report_failed(0, kind, error, what);
    drain_frames();
    if (lingering)
        wait_for_end();
    _exit(0);
}

void linger_after_failure(bool lingers)
{
    lingering = lingers;
}

void report_failed(uint32_t id, enum failure kind, int error, const char *what)
{
    struct report report;
    begin_report(&report, 'F');
    add_u32(&report, id);
    add_u8(&report, (uint8_t)kind);
    add_u32(&report, (uint32_t)error);
    add_string(&report, field);
    add_string(&report, what);
    send_report(&report);
}

void report_exited(uint32_t id, int status, const struct rusage *usage)
{
    const uint64_t numbers[] = {
        microseconds(usage->ru_utime),   microseconds(usage->ru_stime),
        (uint64_t)usage->ru_maxrss,      (uint64_t)usage->ru_minflt,
        (uint64_t)usage->ru_majflt,      (uint64_t)usage->ru_inblock,
        (uint64_t)usage->ru_oublock,     (uint64_t)usage->ru_nvcsw,
        (uint64_t)usage->ru_nivcsw,
    };
    struct report report;
    begin_report(&report, 'X');
    add_u32(&report, id);
    add_u32(&report, (uint32_t)status);
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++)
        add_u64(&report, numbers[index]);
    send_report(&report);
}

static uint64_t microseconds(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}
