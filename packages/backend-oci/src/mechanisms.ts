import type { Plan } from "@sandboxlib/core/backend";

/** What of config.json, or of the init inside, is behind each capability. */
export const mechanisms: Plan["mechanisms"] = {
  root: "a bind in config.json, which the init inside enters with chroot(2)",
  "writable.paths": "rbind,rro of the root, and rbind for each path",
  hidden: "a tmpfs with ro,mode=0111; for a file a bind of /dev/null with ro,nodev",
  "mount.bind": "rbind (with devices for what lies in /dev)",
  "mount.bind.readOnly": "rbind,rro (recursive)",
  "mount.tmpfs": "a tmpfs with mode=1777",
  "mount.tmpfs.size": "a tmpfs with size",
  "mount.tmpfs.inodes": "a tmpfs with nr_inodes",
  "mount.proc": "a proc, with /proc/1 in maskedPaths and /proc/sys and others in readonlyPaths",
  "mount.dev": "a tmpfs with binds of the devices, and links that the init inside makes",
  cwd: "the init inside, sandboxlib-launcher guest",
  "env.loader": "the init inside, sandboxlib-launcher guest, alone sets them",
  "network.none": "a network namespace",
  "isolate.mount": "a mount namespace, always",
  "isolate.pid": "a pid namespace, always, and a filter of system calls keeps out of pid 1",
  "isolate.ipc": "an ipc namespace",
  "isolate.uts": "a uts namespace",
  "isolate.user": "a user namespace without capabilities, in which no other can be made",
  "isolate.cgroup": "a cgroup namespace",
  seccomp:
    "seccomp(SECCOMP_SET_MODE_FILTER) by the init inside, or for the program alone, with no_new_privs",
  user: "process.user, or a user namespace that the init inside makes",
  hostname: "hostname",
  "limit.cpuTime": "setrlimit(2) by the init inside",
  "limit.fileSize": "setrlimit(2) by the init inside",
  "limit.stack": "setrlimit(2) by the init inside",
  "limit.coreSize": "setrlimit(2) by the init inside",
  "limit.openFiles": "setrlimit(2) by the init inside",
  "limit.addressSpace": "setrlimit(2) by the init inside",
  "tree.kill":
    "a pid namespace whose init ends with its lifeline, and `delete --force` of the runtime",
  "exit.signal": "the init inside, sandboxlib-launcher guest, reports it",
};
