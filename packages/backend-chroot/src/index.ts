import { type Backend, defineBackend } from "@sandboxlib/core/backend";
import { launcherMechanisms, planLauncher } from "./launcher.js";
import { linuxMechanisms, planLinux } from "./linux.js";
import { planPosix, posixMechanisms, posixParts } from "./posix.js";
import { type Findings, probeLauncher, probeLinux, probePosix } from "./probe.js";

/**
 * chroot(8) with mount(8) and umount(8), as any POSIX system has them. The mounts are visible on the host during a run.
 */
export const posixChroot: Backend = defineBackend({
  name: "chroot",
  mechanisms: posixMechanisms,
  partly: posixParts,
  probe: (host) => probePosix(host, posixChroot.capabilities),
  plan: planPosix,
});

/** chroot(2) on Linux by the tools of util-linux alone, in a mount and a pid namespace of its own. */
export const utilLinuxChroot: Backend = defineBackend({
  name: "chroot",
  mechanisms: linuxMechanisms,
  probe: probeLinux,
  plan: planLinux,
});

/**
 * A root for root's programs. On Linux the launcher makes it, in a mount and a pid namespace of its own; where that is not
 * installed, or cannot, it is like {@link utilLinuxChroot}, and elsewhere like {@link posixChroot}.
 */
const chroot: Backend = defineBackend<Findings>({
  name: "chroot",
  mechanisms: launcherMechanisms,
  probe: (host) =>
    host.platform === "linux" ? probeLauncher(host) : probePosix(host, chroot.capabilities),
  plan(config, host, { findings }) {
    if (host.platform !== "linux") return planPosix(config, host);
    return findings === undefined
      ? planLinux(config, host)
      : planLauncher(config, host, findings.launcher);
  },
});

export default chroot;
