import type { LauncherSetup, Report } from "../../backend/plan.js";
import { capabilitySet } from "../../host/capability-set.js";
import { SandboxError } from "../../result/error.js";
import type { Ready } from "./message.js";
import { mountsInOrder } from "./setup.js";

/**
 * Compares what the launcher has read back from the kernel with what it was told to set up.
 *
 * @throws SandboxError `VERIFY_FAILED`
 */
export function reportOf(ready: Ready, setup: LauncherSetup): Report {
  if (!ready.noNewPrivileges) throw broken("user", "no_new_privs is not set");
  const left = ready.capabilities & ~capabilitySet(setup.capabilities);
  if (left !== 0n) throw broken("user", `the capabilities ${left.toString(16)} are left`);
  if (setup.rootReadOnly && !isReadOnly(ready.rootFlags))
    throw broken("writable", "the root is not read-only");
  for (const [index, { path, readOnly }] of expected(setup).entries()) {
    const mount = ready.mounts[index];
    if (mount?.path !== path) throw broken(path, "it was not mounted");
    if (readOnly && !isReadOnly(mount.flags)) throw broken(path, "it is not read-only");
  }
  return { initPid: ready.initPid, namespaces: ready.namespaces };
}

const ST_RDONLY = 1;

interface Expected {
  readonly path: string;
  readonly readOnly: boolean;
}

/** Computed once for all runs of a sandbox. */
function expected(setup: LauncherSetup): readonly Expected[] {
  const known = found.get(setup);
  if (known !== undefined) return known;
  const mounts = mountsInOrder(setup).map((mount) => ({
    path: mount.path,
    readOnly:
      mount.type === "mask" || mount.type === "mirror" || (mount.type === "bind" && mount.readOnly),
  }));
  found.set(setup, mounts);
  return mounts;
}

const found = new WeakMap<LauncherSetup, readonly Expected[]>();

function isReadOnly(flags: number): boolean {
  return (flags & ST_RDONLY) !== 0;
}

function broken(path: string, what: string): SandboxError {
  return new SandboxError("VERIFY_FAILED", `${path}: ${what}, although the launcher set it up`, {
    path,
    hint: "The kernel did not do what it was asked to: report this with its version.",
  });
}
