import { type Plan, toolLimits } from "@sandboxlib/core/backend";

/** The option of linux-user-chroot(8) behind each capability. */
export const mechanisms: Plan["mechanisms"] = {
  root: "linux-user-chroot --mount-bind ROOT /",
  "writable.paths": "linux-user-chroot --mount-readonly /, and --mount-bind for each path",
  "mount.bind": "linux-user-chroot --mount-bind, once more for each file system mounted below",
  "mount.bind.readOnly": "linux-user-chroot --mount-bind and --mount-readonly",
  "mount.proc": "linux-user-chroot --mount-proc",
  "mount.dev": "linux-user-chroot --mount-devapi",
  cwd: "linux-user-chroot --chdir",
  "env.loader": "env -i, inside only",
  "network.none": "linux-user-chroot --unshare-net",
  "isolate.mount": "linux-user-chroot, always",
  "isolate.pid": "linux-user-chroot --unshare-pid",
  "isolate.ipc": "linux-user-chroot --unshare-ipc",
  ...toolLimits.mechanisms,
  "tree.kill": "linux-user-chroot --unshare-pid: everything dies with pid 1, the supervisor",
};
