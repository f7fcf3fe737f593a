import { type Backend, defineBackend } from "@sandboxlib/core/backend";
import { linuxMechanisms, planLinux } from "./linux.js";
import { planPosix, posixMechanisms } from "./posix.js";
import { probeLinux, probePosix } from "./probe.js";

/**
 * chroot(8) with mount(8) and umount(8), as any POSIX system has them. The mounts are visible on the host during a run.
 */
export const posixChroot: Backend = defineBackend({
  name: "chroot",
  mechanisms: posixMechanisms,
  probe: (host) => probePosix(host, posixChroot.capabilities),
  plan: planPosix,
});

/** chroot(2) as root. On Linux it runs in a mount and a pid namespace of its own, elsewhere like {@link posixChroot}. */
const chroot: Backend = defineBackend({
  name: "chroot",
  mechanisms: linuxMechanisms,
  probe: (host) =>
    host.platform === "linux" ? probeLinux(host) : probePosix(host, chroot.capabilities),
  plan: (config, host) =>
    host.platform === "linux" ? planLinux(config, host) : planPosix(config, host),
});

export default chroot;
