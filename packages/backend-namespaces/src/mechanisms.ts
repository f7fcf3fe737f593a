import { type Backend, type LauncherPlan, launcherLimits } from "@sandboxlib/core/backend";

/** The call of the kernel behind each capability. */
export const mechanisms: LauncherPlan["mechanisms"] = {
  root: "pivot_root",
  "root.overlay": "fsopen(overlay) with the root as lowerdir",
  "writable.paths": "mount_setattr(MOUNT_ATTR_RDONLY, AT_RECURSIVE) on /, and a bind for each path",
  hidden:
    "an empty tmpfs of mode 0111, read-only; for a file a null device on a MOUNT_ATTR_NODEV mount",
  "mount.bind": "open_tree(OPEN_TREE_CLONE, AT_RECURSIVE), move_mount",
  "mount.bind.readOnly": "mount_setattr(MOUNT_ATTR_RDONLY, AT_RECURSIVE)",
  "mount.tmpfs": "fsopen(tmpfs)",
  "mount.tmpfs.size": "fsconfig(tmpfs, size)",
  "mount.tmpfs.inodes": "fsconfig(tmpfs, nr_inodes)",
  "mount.proc": "fsopen(proc)",
  "mount.dev": "a tmpfs with six devices of the host, bound",
  "mount.create": "a read-only tmpfs over the directory, with its entries bound",
  cwd: "chdir",
  "env.loader": "given to execve inside only",
  "network.none": "clone(CLONE_NEWNET)",
  "isolate.mount": "unshare(CLONE_NEWNS), always",
  "isolate.pid": "clone(CLONE_NEWPID), always",
  "isolate.ipc": "clone(CLONE_NEWIPC)",
  "isolate.uts": "unshare(CLONE_NEWUTS)",
  "isolate.user": "clone(CLONE_NEWUSER), no capability, no_new_privs, and max_user_namespaces 0",
  "isolate.cgroup": "unshare(CLONE_NEWCGROUP)",
  seccomp: "seccomp(SECCOMP_SET_MODE_FILTER), with no_new_privs",
  "allow.user-namespaces":
    "user namespaces inside are allowed: max_user_namespaces as it is, and a profile that lets mounts in them pass",
  user: "setresuid and setresgid, and the uid and gid maps of the user namespace",
  "user.range":
    "uid_map and gid_map, written by newuidmap and newgidmap where the caller is not root",
  hostname: "sethostname",
  ...launcherLimits.mechanisms,
  "tree.kill": "pid 1 of the pid namespace is killed when the socket of the launcher hangs up",
  "exit.signal": "the status of wait4, reported by pid 1",
  session: "pid 1 takes commands from the socket",
  tty: "ptmx of the sandbox's own devpts and TIOCSCTTY, relayed by the launcher",
  pool: "the program's process waits for its command before execve",
};

/** With user namespaces inside. */
export const nestingMechanisms: LauncherPlan["mechanisms"] = {
  ...mechanisms,
  "isolate.user":
    "clone(CLONE_NEWUSER), no capability but in those that the program makes, and no_new_privs",
};

/** What holds in part. */
export const partly: NonNullable<Backend["partly"]> = {
  "allow.user-namespaces": "not with the uid 0 inside",
};
