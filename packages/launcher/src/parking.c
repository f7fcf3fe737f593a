#include "parking.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "frame.h"

enum { MOST_PARKED = 1024 };

static bool hold(const struct handover *ends);
static void let_go(uint32_t id);
static void report_pipes(const struct handover *ends);

/* No entry has the id 0. */
static struct handover lot[MOST_PARKED];

bool park(int launcher, const struct handover *ends)
{
    return hand_over(launcher, ends);
}

bool parked(int launcher)
{
    uint8_t answer;
    ssize_t got;
    do
        got = read(launcher, &answer, 1);
    while (got < 0 && errno == EINTR);
    return got == 1 && answer == 1;
}

/* A handover of nothing. */
void unpark(int launcher, uint32_t id)
{
    const struct handover nothing = {.id = id, .fds = {-1, -1, -1}};
    hand_over(launcher, &nothing);
}

bool serve_parking(int sandbox)
{
    struct handover ends;
    enum taken taken = take_over(sandbox, &ends);
    if (taken == TAKEN_NOTHING)
        return false;
    if (taken == TAKEN && ends.fds[0] < 0 && ends.fds[1] < 0 && ends.fds[2] < 0) {
        let_go(ends.id);
        return true;
    }
    uint8_t answer = taken == TAKEN && hold(&ends);
    if (answer)
        report_pipes(&ends);
    return write(sandbox, &answer, 1) == 1;
}

static bool hold(const struct handover *ends)
{
    for (int index = 0; index < MOST_PARKED; index++) {
        if (lot[index].id == 0) {
            lot[index] = *ends;
            return true;
        }
    }
    close_all(ends->fds);
    return false;
}

static void let_go(uint32_t id)
{
    for (int index = 0; index < MOST_PARKED; index++) {
        if (id != 0 && lot[index].id == id) {
            close_all(lot[index].fds);
            lot[index].id = 0;
        }
    }
}

static void report_pipes(const struct handover *ends)
{
    struct report report;
    begin_report(&report, 'P');
    add_u32(&report, ends->id);
    for (int fd = 0; fd < 3; fd++)
        add_u32(&report, (uint32_t)ends->fds[fd]);
    send_report(&report);
}
