#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "courier.h"
#include "frame.h"
#include "hostdev.h"
#include "launcher.h"
#include "outcome.h"
#include "plan.h"
#include "probe.h"
#include "sealed.h"
#include "serve.h"
#include "setup.h"
#include "signals.h"

static uint32_t read_namespaces(const char *word);

/* What the launcher is started as: see PROTOCOL.md. */
int main(int count, char **words)
{
    if (count == 3 && strcmp(words[1], "courier") == 0)
        deliver(words[2]);
    if (count == 3 && strcmp(words[1], "clone") == 0)
        offer_sealed_copy(words[2]);
    if (count > 2 && strcmp(words[1], "read-only-dev") == 0)
        run_with_read_only_dev(words + 2);
    if (count == 2 && strcmp(words[1], "probe") == 0)
        probe();
    if (is_socket(CORE_FD) && is_socket(COURIER_FD))
        run_sealed_copy(words);
    check_start();
    if (count == 2 && strcmp(words[1], "serve") == 0)
        serve();
    reset_signals();
    launch(read_namespaces(count == 2 ? words[1] : ""));
}

/* The bits of the set-up's `N`, in decimal. */
static uint32_t read_namespaces(const char *word)
{
    char *end;
    unsigned long long bits = strtoull(word, &end, 10);
    if (*word == '\0' || *end != '\0' || bits > ALL_NAMESPACES)
        fail(FAILED_PROTOCOL, 0, "the namespaces of the start are broken");
    return (uint32_t)bits;
}
