#include <sys/prctl.h>
#include <unistd.h>

#include "launcher.h"
#include "mount.h"
#include "sandbox.h"

static void begin_sandbox(uint32_t namespaces);
static bool wait_for_setup(struct sandbox *sandbox, struct identity *identity);
static void make_sandbox(const struct setup *setup, struct readback *readback);
static void check_privileges(struct readback *readback, const struct setup *setup);

void init(const struct sandbox *sandbox, int launcher_end)
{
    struct sandbox own = *sandbox;
    struct readback readback;
    close(launcher_end);
    wait_after_failure(false);
    die_with_launcher(own.launcher);
    begin_sandbox(own.namespaces);
    choose_ids(&own.setup, wait_for_setup(&own, &readback.identity));
    make_sandbox(&own.setup, &readback);
    become_program(&own.setup);
    drop_privileges(&own.setup);
    die_with_launcher(own.launcher);
    check_privileges(&readback, &own.setup);
    load_filter(&own.setup); /* here, because to load it for each program would take a twentieth of its start */
    if (own.setup.mode == MODE_SESSION)
        serve_session(&own, &readback);
    serve_run(&own, &readback);
}

/* Does what needs neither the rest of the set-up nor ids inside: the launcher may be a spare one, and its time free. */
static void begin_sandbox(uint32_t namespaces)
{
    keep_capabilities();
    leave_keyring();
    begin_to_drop(namespaces & NAMESPACE_USER);
    if (namespaces & NAMESPACE_USER && !(namespaces & NESTING))
        forbid_user_namespaces();
    if (namespaces & NAMESPACE_NET)
        bring_loopback_up();
}

/* Returns whether the program has the caller's ids. */
static bool wait_for_setup(struct sandbox *sandbox, struct identity *identity)
{
    struct go_ahead go_ahead;
    if (read(sandbox->launcher, &go_ahead, sizeof go_ahead) != sizeof go_ahead)
        _exit(0); /* the launcher has failed, and has reported that */
    take_setup(sandbox->shared + 1, go_ahead.setup_size, &sandbox->setup);
    *identity = go_ahead.identity;
    enter_cgroup(&sandbox->setup.cgroup);
    enter_late_namespaces(sandbox->namespaces, identity);
    sandbox->null = open_null_device();
    protect_devices(sandbox->null);
    return go_ahead.caller_is_program;
}

static void make_sandbox(const struct setup *setup, struct readback *readback)
{
    if (setup->hostname)
        set_hostname(setup->hostname);
    int root = make_mounts(mount_root(setup), setup);
    enter_root(root);
    check_mounts(readback, root, setup);
    close(root);
}

static void check_privileges(struct readback *readback, const struct setup *setup)
{
    readback->capabilities = read_capabilities();
    readback->no_new_privs = (uint8_t)prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    if ((readback->capabilities & ~setup->capabilities) != 0)
        fail(FAILED_READBACK, 0, "there are capabilities left");
    if (readback->no_new_privs != 1)
        fail(FAILED_READBACK, 0, "no_new_privs is not set");
}

void report_ready(struct readback *readback)
{
    struct report report;
    begin_report(&report, 'R');
    add_u32(&report, readback->identity.pid);
    for (int index = 0; index < NAMESPACE_COUNT; index++)
        add_u64(&report, readback->identity.inodes[index]);
    add_u64(&report, readback->capabilities);
    add_u8(&report, readback->no_new_privs);
    add_u64(&report, readback->root_flags);
    add_bytes(&report, readback->mounts.data, readback->mounts.size);
    send_report(&report);
}
