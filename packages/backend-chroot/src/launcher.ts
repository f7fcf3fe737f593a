import {
  type Host,
  type KeepableCapability,
  type LauncherPlan,
  launcherLimits,
  type ResolvedConfig,
} from "@sandboxlib/core/backend";
import { KEPT } from "./tools.js";

/** Plans a run with the launcher, in no namespaces but those for mounts and pids, which it always makes. */
export function planLauncher(
  { root, rootReadOnly, overlay, mounts, mirrors, user, seccomp }: ResolvedConfig,
  host: Host,
  launcher: string,
): LauncherPlan {
  const { uid, gid } = user ?? host;
  return {
    kind: "launcher",
    argv: [launcher],
    env: {},
    mechanisms: launcherMechanisms,
    setup: {
      namespaces: [],
      uid,
      gid,
      ...(uid === 0 && { capabilities: keptWith(seccomp) }),
      root,
      rootReadOnly,
      ...(overlay !== undefined && { overlay }),
      ...(seccomp !== undefined && { seccomp }),
      mounts,
      mirrors,
    },
  };
}

/** A profile that forbids set-user-ID bits forbids what stands for them on a file, too. */
function keptWith(seccomp: ResolvedConfig["seccomp"]): readonly KeepableCapability[] {
  const isStrict = seccomp === "default" || seccomp === "build";
  return isStrict ? KEPT.filter((name) => name !== "setfcap") : KEPT;
}

/** What enforces each capability where the launcher makes the sandbox. */
export const launcherMechanisms: LauncherPlan["mechanisms"] = {
  root: "pivot_root of the launcher, which leaves nothing of the host's root behind",
  "root.overlay": "fsopen(overlay) with the root as lowerdir",
  "mount.bind": "open_tree(OPEN_TREE_CLONE, AT_RECURSIVE), move_mount",
  "mount.tmpfs": "fsopen(tmpfs)",
  "mount.tmpfs.size": "fsconfig(tmpfs, size)",
  "mount.tmpfs.inodes": "fsconfig(tmpfs, nr_inodes)",
  "mount.proc": "fsopen(proc)",
  "mount.dev": "a tmpfs with six devices of the host, bound read-only",
  cwd: "chdir",
  "env.loader": "given to execve inside only",
  "isolate.mount": "unshare(CLONE_NEWNS)",
  "isolate.pid": "clone(CLONE_NEWPID)",
  seccomp: "seccomp(SECCOMP_SET_MODE_FILTER), with no_new_privs",
  user: "setresuid, setresgid and setgroups",
  ...launcherLimits.mechanisms,
  "tree.kill": "pid 1 of the pid namespace is killed when the socket of the launcher hangs up",
  "exit.signal": "the status of wait4, reported by pid 1",
  session: "pid 1 takes commands from the socket",
  tty: "ptmx of the sandbox's own devpts and TIOCSCTTY, relayed by the launcher",
  pool: "the program's process waits for its command before execve",
};
