import type { Capability } from "@sandboxlib/core";
import { type Backend, toolLimits } from "@sandboxlib/core/backend";
import { planLinux } from "./linux.js";
import { planPosix } from "./posix.js";
import { probeLinux, probePosix } from "./probe.js";

const POSIX: readonly Capability[] = [
  "root",
  "mount.bind",
  "mount.tmpfs",
  "mount.tmpfs.size",
  "mount.tmpfs.inodes",
  "mount.proc",
  "mount.dev",
  "cwd",
  ...toolLimits.capabilities,
  "exit.signal",
];
const LINUX: readonly Capability[] = [
  ...POSIX,
  "isolate.mount",
  "isolate.pid",
  "user",
  "tree.kill",
];

/**
 * chroot(8) with mount(8) and umount(8), as any POSIX system has them. The mounts are visible on the host during a run.
 */
export const posixChroot: Backend = {
  apiVersion: 1,
  name: "chroot",
  capabilities: new Set(POSIX),
  probe: (host) => probePosix(host, posixChroot.capabilities),
  plan: planPosix,
};

/** chroot(2) as root. On Linux it runs in a mount and a pid namespace of its own, elsewhere like {@link posixChroot}. */
const chroot: Backend = {
  apiVersion: 1,
  name: "chroot",
  capabilities: new Set(LINUX),
  probe: (host) =>
    host.platform === "linux" ? probeLinux(host) : probePosix(host, chroot.capabilities),
  plan: (config, host) =>
    host.platform === "linux" ? planLinux(config, host) : planPosix(config, host),
};

export default chroot;
