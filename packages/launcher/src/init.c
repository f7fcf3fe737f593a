#include "init.h"

#include <unistd.h>

#include "cgroup.h"
#include "dev.h"
#include "devices.h"
#include "filter.h"
#include "ids.h"
#include "mounts.h"
#include "namespaces.h"
#include "network.h"
#include "outcome.h"
#include "privileges.h"
#include "readback.h"
#include "root.h"
#include "run.h"
#include "session.h"
#include "setup.h"

static void begin_sandbox(uint32_t namespaces);
static bool wait_for_setup(struct sandbox *sandbox, struct identity *identity);
static void make_sandbox(const struct setup *setup, struct readback *readback);

void init(const struct sandbox *sandbox, int launcher_end)
{
    struct sandbox own = *sandbox;
    struct readback readback;
    close(launcher_end);
    linger_after_failure(false);
    die_with(own.launcher);
    begin_sandbox(own.namespaces);
    choose_ids(&own.setup, wait_for_setup(&own, &readback.identity));
    make_sandbox(&own.setup, &readback);
    become_program(&own.setup);
    drop_privileges();
    die_with(own.launcher);
    check_privileges(&readback);
    load_filter(&own.setup); /* once: to load it for each program would cost each a twentieth of its start */
    if (own.setup.mode == MODE_SESSION)
        serve_session(&own, &readback);
    serve_run(&own, &readback);
}

/* What needs neither the rest of the set-up nor ids inside. */
static void begin_sandbox(uint32_t namespaces)
{
    keep_capabilities();
    leave_keyring();
    empty_bounding_set();
    if (namespaces & NAMESPACE_USER)
        forbid_user_namespaces();
    if (namespaces & NAMESPACE_NET)
        bring_loopback_up();
}

/* Whether the caller is the program. The end of the stream says that the launcher has failed and reported. */
static bool wait_for_setup(struct sandbox *sandbox, struct identity *identity)
{
    struct go go;
    sandbox->null = open_null_device();
    protect_devices();
    if (read(sandbox->launcher, &go, sizeof go) != sizeof go)
        _exit(0);
    take_setup(sandbox->shared, go.setup_size, &sandbox->setup);
    *identity = go.identity;
    enter_cgroup(&sandbox->setup.cgroup);
    if (sandbox->setup.cgroup.namespace)
        enter_cgroup_namespace(identity);
    return go.caller_is_program;
}

static void make_sandbox(const struct setup *setup, struct readback *readback)
{
    if (setup->hostname)
        set_hostname(setup->hostname);
    int root = make_mounts(cover_root(setup), setup);
    enter_root(root);
    check_mounts(readback, root, setup);
    close(root);
}
