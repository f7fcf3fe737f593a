#include "init.h"

#include <unistd.h>

#include "dev.h"
#include "ids.h"
#include "mounts.h"
#include "namespaces.h"
#include "network.h"
#include "privileges.h"
#include "readback.h"
#include "root.h"
#include "run.h"
#include "session.h"

static int begin_sandbox(const struct setup *setup);
static void wait_for_ids(int launcher, struct identity *identity);
static void finish_sandbox(int root, const struct setup *setup, struct readback *readback);

void init(const struct sandbox *sandbox, int launcher_end)
{
    struct sandbox own = *sandbox;
    struct readback readback;
    close(launcher_end);
    die_with(sandbox->launcher);
    int root = begin_sandbox(&sandbox->setup);
    wait_for_ids(sandbox->launcher, &readback.identity);
    own.null = open_null_device();
    finish_sandbox(root, &sandbox->setup, &readback);
    become_program(&sandbox->setup);
    drop_privileges();
    die_with(sandbox->launcher);
    check_privileges(&readback);
    if (sandbox->setup.mode == MODE_SESSION)
        serve_session(&own, &readback);
    serve_run(&own, &readback);
}

/* What needs no ids inside: the launcher maps them meanwhile. */
static int begin_sandbox(const struct setup *setup)
{
    keep_capabilities();
    leave_keyring();
    if (setup->namespaces & NAMESPACE_USER)
        forbid_user_namespaces();
    if (setup->hostname)
        set_hostname(setup->hostname);
    if (setup->namespaces & NAMESPACE_NET)
        bring_loopback_up();
    return cover_root(setup);
}

/* The end of the stream says that the launcher has failed and reported. */
static void wait_for_ids(int launcher, struct identity *identity)
{
    if (read(launcher, identity, sizeof *identity) != sizeof *identity)
        _exit(0);
}

static void finish_sandbox(int root, const struct setup *setup, struct readback *readback)
{
    choose_ids(setup);
    root = make_mounts(root, setup);
    enter_root(root);
    check_mounts(readback, root, setup);
    close(root);
}
