#include "plan_json.h"

#include <string.h>
#include <sys/wait.h>

#include "sys.h"

enum { BLOCK = 512, KIB = 1024 };

static void add_ending(struct report *json, const char *before, int status);
static void add_exceeded(struct report *json, const char *limit, const char *unit, const char *value);
static void add_usage(struct report *json, const struct planned_end *end);
static void add_seconds(struct report *json, const char *name, uint64_t microseconds);
static void add_number(struct report *json, const char *name, uint64_t number);
static void add_text(struct report *json, const char *text);
static void add_quoted(struct report *json, const char *text);

struct report result_json(enum planned_outcome outcome, const struct planned_end *end, const struct plan *plan,
                          const struct planned_command *command)
{
    static const char *const names[] = {
        [EXITED] = "exited",
        [SIGNALED] = "signaled",
        [TIMED_OUT] = "timed-out",
        [CPU_TIME_EXCEEDED] = "limit-exceeded",
        [FILE_SIZE_EXCEEDED] = "limit-exceeded",
    };
    char number[NUMBER];
    struct report json = {0};
    add_text(&json, "{\n  \"outcome\": ");
    add_quoted(&json, names[outcome]);
    if (outcome == CPU_TIME_EXCEEDED)
        add_exceeded(&json, "cpuTime", "seconds", plan->cpu_time);
    else if (outcome == FILE_SIZE_EXCEEDED)
        add_exceeded(&json, "fileSize", "bytes", decimal(number, command->file_size));
    else if (outcome != TIMED_OUT)
        add_ending(&json, ",\n  ", end->status);
    else if (!was_killed_in_time()) {
        add_ending(&json, ",\n  \"afterStop\": {\n    ", end->status);
        add_text(&json, "\n  }");
    }
    if (outcome != TIMED_OUT && WIFSIGNALED(end->status) && WCOREDUMP(end->status))
        add_text(&json, ",\n  \"coreDumped\": true");
    add_usage(&json, end);
    add_text(&json, plan->receipt);
    return json;
}

struct report error_json(const char *code, const char *field, const char *message)
{
    struct report json = {0};
    add_text(&json, "{\n  \"error\": {\n    \"code\": ");
    add_quoted(&json, code);
    add_text(&json, ",\n    \"message\": ");
    add_quoted(&json, message);
    if (field)
        add_text(&json, ",\n    \"path\": ");
    if (field)
        add_quoted(&json, field);
    add_text(&json, "\n  }\n}\n");
    return json;
}

static void add_ending(struct report *json, const char *before, int status)
{
    char name[SIGNAL_NAME];
    add_text(json, before);
    if (!WIFSIGNALED(status)) {
        add_text(json, "\"exitCode\": ");
        add_text(json, decimal(name, (uint32_t)WEXITSTATUS(status)));
        return;
    }
    add_text(json, "\"signal\": ");
    add_quoted(json, signal_name(WTERMSIG(status), name));
}

static void add_exceeded(struct report *json, const char *limit, const char *unit, const char *value)
{
    const char *const texts[] = {",\n  \"exceeded\": {\n    \"limit\": \"", limit, "\",\n    \"", unit, "\": ", value, "\n  }"};
    for (size_t index = 0; index < sizeof texts / sizeof *texts; index++)
        add_text(json, texts[index]);
}

/* In the order of an `X`. */
static void add_usage(struct report *json, const struct planned_end *end)
{
    static const struct {
        const char *name;
        uint64_t unit; /* 0: microseconds */
    } numbers[USAGE_NUMBERS] = {
        {"userTime", 0},          {"systemTime", 0},        {"peakMemory", KIB},
        {"minorFaults", 1},       {"majorFaults", 1},       {"blockReads", BLOCK},
        {"blockWrites", BLOCK},   {"voluntarySwitches", 1}, {"involuntarySwitches", 1},
    };
    add_text(json, ",\n  \"usage\": {");
    add_seconds(json, "\n    \"wallTime\": ", end->taken);
    for (int index = 0; end->has_usage && index < USAGE_NUMBERS; index++) {
        add_text(json, ",\n    \"");
        add_text(json, numbers[index].name);
        if (numbers[index].unit == 0)
            add_seconds(json, "\": ", end->usage[index]);
        else
            add_number(json, "\": ", end->usage[index] * numbers[index].unit);
    }
    add_text(json, "\n  },\n");
}

static void add_seconds(struct report *json, const char *name, uint64_t microseconds)
{
    char number[NUMBER];
    add_number(json, name, microseconds / 1000000);
    /* With a digit in front, so that there are zeros behind the point. */
    add_text(json, ".");
    add_text(json, decimal(number, microseconds % 1000000 + 1000000) + 1);
}

static void add_number(struct report *json, const char *name, uint64_t value)
{
    char number[NUMBER];
    add_text(json, name);
    add_text(json, decimal(number, value));
}

static void add_text(struct report *json, const char *text)
{
    add_bytes(json, text, strlen(text));
}

/* What `refuse_as` has made printable. */
static void add_quoted(struct report *json, const char *text)
{
    add_u8(json, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            add_u8(json, '\\');
        add_u8(json, (uint8_t)*text);
    }
    add_u8(json, '"');
}
