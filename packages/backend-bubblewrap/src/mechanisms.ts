import { type Backend, type Plan, toolLimits } from "@sandboxlib/core/backend";

/** What of a capability bwrap can do, where that is not all of it: `plan` refuses the rest. */
export const partly: NonNullable<Backend["partly"]> = {
  "mount.bind": "as many as its 9,000 words of options hold, three for each",
  seccomp: "every profile but `strict`, which would end its pid 1",
  "allow.user-namespaces":
    "not with the uid 0 inside, and no procfs can be mounted in them, since pid 1 is masked in the one that there is",
};

/** The option of bwrap(1) behind each capability. */
export const mechanisms: Plan["mechanisms"] = {
  root: "bwrap --bind ROOT /",
  "writable.paths": "bwrap --ro-bind ROOT / (recursive), and --bind for each path",
  hidden: "bwrap --perms 0111 --tmpfs, --remount-ro; for a file --ro-bind /dev/null (nodev)",
  "mount.bind": "bwrap --bind (--dev-bind for what lies in /dev)",
  "mount.bind.readOnly": "bwrap --ro-bind (recursive)",
  "mount.tmpfs": "bwrap --tmpfs",
  "mount.tmpfs.size": "bwrap --size",
  "mount.proc": "bwrap --proc, with pid 1 masked by --tmpfs",
  "mount.dev": "bwrap --dev",
  cwd: "bwrap --chdir",
  "env.loader": "bwrap --clearenv --setenv, set inside only",
  "network.none": "bwrap --unshare-net",
  "isolate.mount": "bwrap, always",
  "isolate.pid": "bwrap --unshare-pid, and --seccomp keeps the program out of pid 1",
  "isolate.ipc": "bwrap --unshare-ipc",
  "isolate.uts": "bwrap --unshare-uts",
  "isolate.user": "bwrap --unshare-user --disable-userns --cap-drop ALL",
  "isolate.cgroup": "bwrap --unshare-cgroup",
  seccomp: "bwrap --seccomp, --add-seccomp-fd",
  "allow.user-namespaces":
    "user namespaces inside are allowed: no bwrap --disable-userns, and a profile that lets mounts in them pass",
  user: "bwrap --unshare-user --uid --gid",
  hostname: "bwrap --hostname",
  ...toolLimits.mechanisms,
  "tree.kill":
    "bwrap --unshare-pid --die-with-parent: pid 1 is killed with bwrap, and everything with pid 1",
};

/** With user namespaces inside. */
export const nestingMechanisms: Plan["mechanisms"] = {
  ...mechanisms,
  "isolate.user":
    "bwrap --unshare-user --cap-drop ALL: no capability but in those that the program makes",
};
