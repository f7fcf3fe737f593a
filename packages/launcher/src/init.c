#include "init.h"

#include <unistd.h>

#include "ids.h"
#include "mounts.h"
#include "namespaces.h"
#include "network.h"
#include "privileges.h"
#include "readback.h"
#include "root.h"
#include "run.h"
#include "session.h"

static void wait_for_maps(int launcher);
static void make_sandbox(const struct setup *setup, struct readback *readback);

void init(const struct sandbox *sandbox, int launcher_end)
{
    struct readback readback;
    close(launcher_end);
    die_with(sandbox->launcher);
    wait_for_maps(sandbox->launcher);
    make_sandbox(&sandbox->setup, &readback);
    become_program(&sandbox->setup);
    drop_privileges();
    die_with(sandbox->launcher);
    check_privileges(&readback);
    if (sandbox->setup.mode == MODE_SESSION)
        serve_session(sandbox, &readback);
    serve_run(sandbox, &readback);
}

/* One byte; the end of the stream says that the launcher has failed and reported. */
static void wait_for_maps(int launcher)
{
    char byte;
    if (read(launcher, &byte, 1) != 1)
        _exit(0);
}

static void make_sandbox(const struct setup *setup, struct readback *readback)
{
    keep_capabilities();
    choose_ids(setup);
    leave_keyring();
    if (setup->namespaces & NAMESPACE_USER)
        forbid_user_namespaces();
    if (setup->hostname)
        set_hostname(setup->hostname);
    if (setup->namespaces & NAMESPACE_NET)
        bring_loopback_up();
    read_identity(&readback->identity);
    int root = cover_root(setup);
    root = make_mounts(root, setup);
    enter_root(root);
    check_mounts(readback, root, setup);
    close(root);
}
