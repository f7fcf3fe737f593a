import { type Backend, type Plan, toolLimits } from "@sandboxlib/core/backend";

import type { Supervision } from "./supervision.js";

/** What is behind each capability, with one supervisor inside or the other. */
export function mechanismsBy(by: Supervision["by"]): Plan["mechanisms"] {
  return { ...OPTIONS, ...BY[by] };
}

const MANY = "as many as 1,023 options hold, one or two for each file system that appears inside";
const THERE = "at a path that is there, or in a tmpfs";

/** What of a capability it can do, where that is not all of it: `plan` refuses the rest. */
export const partly: NonNullable<Backend["partly"]> = {
  "writable.paths": MANY,
  "mount.bind": `${THERE}; ${MANY}`,
  "mount.tmpfs": THERE,
  "mount.proc": THERE,
  "mount.dev": THERE,
};

/** The option of linux-user-chroot(8). */
const OPTIONS: Plan["mechanisms"] = {
  root: "linux-user-chroot --mount-bind ROOT /",
  "writable.paths": "linux-user-chroot --mount-readonly /, and --mount-bind for each path",
  "mount.bind": "linux-user-chroot --mount-bind, once more for each file system mounted below",
  "mount.bind.readOnly": "linux-user-chroot --mount-bind and --mount-readonly",
  "mount.tmpfs":
    "a directory of the run's own on a disk of the host, removed afterwards, linux-user-chroot --mount-bind",
  "mount.proc": "linux-user-chroot --mount-proc",
  "mount.dev": "linux-user-chroot --mount-devapi",
  cwd: "linux-user-chroot --chdir",
  "network.none": "linux-user-chroot --unshare-net",
  "isolate.mount": "linux-user-chroot, always",
  "isolate.pid": "linux-user-chroot --unshare-pid",
  "isolate.ipc": "linux-user-chroot --unshare-ipc",
  ...toolLimits.mechanisms,
};

const BY: Readonly<Record<Supervision["by"], Plan["mechanisms"]>> = {
  guest: {
    "env.loader": "the init inside, sandboxlib-launcher guest, alone sets them",
    "tree.kill":
      "linux-user-chroot --unshare-pid: everything dies with pid 1, sandboxlib-launcher guest",
  },
  shell: {
    "env.loader": "env -i of the root, inside only",
    "tree.kill":
      "linux-user-chroot --unshare-pid: everything dies with pid 1, a shell of the root's own",
  },
};
