import { type Finder, fixIn, hasCapability, setting, sysctl } from "./seen.js";
import type { Step } from "./steps.js";

/** As WSL 1, and as a kernel that was built without them. */
export const notBuilt: Finder = ({ error, host }) =>
  error === "EINVAL"
    ? {
        layer: "kernel",
        cause: "this kernel has no user namespaces (EINVAL)",
        fix: fixIn(host, "kernel"),
      }
    : undefined;

/** The number of namespaces that may be. */
export const limits: Finder = ({ step, error, host }) => {
  if (error !== "ENOSPC" && error !== "EUSERS") return undefined;
  const names = (KINDS[step] ?? []).map((kind) => `user.max_${kind}_namespaces`);
  const zero = names.find((name) => setting(host, name) === "0");
  if (zero !== undefined) return sysctl(zero, "0", "10000");
  const now = names.map((name) => `${name} is ${setting(host, name)}`).join(", ");
  return {
    layer: "sysctl",
    cause: `there are as many namespaces as may be (${error}; here ${now}, and a user namespace around this one may allow fewer), or they are nested too deep`,
    fix: "End what holds them, or raise the limit here and in the user namespaces around this one: sudo sysctl -w user.max_user_namespaces=100000",
  };
};

/** The namespaces that a step makes. */
const KINDS: Readonly<Partial<Record<Step, readonly string[]>>> = {
  user: ["user"],
  mount: ["user", "mnt"],
  net: ["user", "net"],
  proc: ["user", "pid", "mnt"],
  root: ["mnt"],
};

/** The switch of older Debian kernels. */
export const cloneSwitch: Finder = ({ error, host }) => {
  const name = "kernel.unprivileged_userns_clone";
  const binds = error === "EPERM" && !hasCapability(host, "SYS_ADMIN");
  return binds && setting(host, name) === "0" ? sysctl(name, "0", "1") : undefined;
};

/** The kernel asks CAP_SETFCAP of whoever maps the uid 0 into a user namespace. */
export const powerlessRoot: Finder = ({ error, host }) =>
  error === "EPERM" && host.uid === 0 && !hasCapability(host, "SETFCAP")
    ? {
        layer: "capability",
        cause:
          "root has no CAP_SETFCAP here (CapEff in /proc/self/status), so it cannot map itself",
        fix: "Run as another user, or start the container with --cap-add SETFCAP.",
      }
    : undefined;

/** Root in a container may not mount. */
export const noSysAdmin: Finder = ({ error, host }) =>
  error === "EPERM" && !hasCapability(host, "SYS_ADMIN")
    ? {
        layer: "capability",
        cause: "root has no CAP_SYS_ADMIN here (CapEff in /proc/self/status)",
        fix: `The backend namespaces does without it. For those that act as root: ${fixIn(host, "capability")}`,
      }
    : undefined;

/** In a user namespace the kernel mounts no new procfs while parts of each procfs that can be seen are covered. */
export const maskedProc: Finder = ({ error, host }) => {
  const covers = mountsIn(host.read("/proc/self/mountinfo")).filter(
    // The kernel allows a mount on the last one, since it is an empty directory that is made as a mount point.
    (at) => at.startsWith("/proc/") && at !== "/proc/sys/fs/binfmt_misc",
  );
  if (error !== "EPERM" || covers.length === 0) return undefined;
  const more = covers.length > 4 ? ` and ${covers.length - 4} more` : "";
  return {
    layer: "procfs",
    cause: `mounts cover parts of /proc, ${covers.slice(0, 4).join(", ")}${more} (findmnt -R /proc), and the kernel refuses a new procfs that would show them (EPERM)`,
    fix:
      host.places.find(({ fixes }) => fixes.procfs)?.fixes.procfs ??
      `sudo umount ${covers.join(" ")}`,
  };
};

/** The kernel makes no user namespace for what is in a chroot(2). Where that is no mount, none is listed at /. */
export const chrooted: Finder = ({ error, host }) => {
  const mounts = mountsIn(host.read("/proc/self/mountinfo"));
  if (error !== "EPERM" || mounts.length === 0 || mounts.includes("/")) return undefined;
  return {
    layer: "chroot",
    cause:
      "this process is in a chroot(2), where the kernel makes no user namespaces: no mount is at / (/proc/self/mountinfo)",
    fix: "Run outside of it, or enter it as a container, such as with systemd-nspawn -D.",
  };
};

function mountsIn(mountinfo = ""): string[] {
  const found = [...mountinfo.matchAll(/^\S+ \S+ \S+ \S+ (\S+) /gm)].map(([, at = ""]) => at);
  return [...new Set(found)];
}
