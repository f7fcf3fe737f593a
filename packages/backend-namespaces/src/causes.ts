import { getSystemErrorName } from "node:util";
import type { Capability } from "@sandboxlib/core";
import { type Host, userNamespaceProfile } from "@sandboxlib/core/backend";
import { readFile, setting } from "./host-files.js";

/** A system call that failed when the launcher tried it. */
export interface Failure {
  /** The capability that is missing therefore; undefined when no sandbox can be made at all. */
  readonly lost: Capability | undefined;
  readonly call: string;
  readonly errno: number;
}

/** The cause of a failure, and what the user can do. */
export interface Cause {
  readonly reason: string;
  readonly remedy: string;
}

/** Finds the setting or the security module that causes a failure, as far as files of the host tell. */
export async function causeOf(failure: Failure, host: Host, launcher: string): Promise<Cause> {
  const error = errorName(failure.errno);
  const finders = FINDERS[error] ?? [];
  for (const find of finders) {
    const cause = await find(failure, host, launcher);
    if (cause !== undefined) return withCall(failure, error, cause);
  }
  return withCall(failure, error, UNKNOWN);
}

type Finder = (failure: Failure, host: Host, launcher: string) => Promise<Cause | undefined>;

function errorName(errno: number): string {
  return errno > 0 ? getSystemErrorName(-errno) : "no error";
}

function withCall({ call }: Failure, error: string, { reason, remedy }: Cause): Cause {
  return { reason: `${reason} (${call}: ${error})`, remedy };
}

const UNKNOWN: Cause = {
  reason: "the kernel refuses it",
  remedy:
    "Look for a seccomp profile, a rule of an LSM such as AppArmor or SELinux, or a chroot around this process.",
};

const spaces: Finder = async (_failure, host) => {
  for (const kind of ["user", "mnt", "pid", "ipc", "uts", "net", "cgroup"]) {
    const name = `user.max_${kind}_namespaces`;
    if ((await setting(host, name)) === "0") return sysctl(name, "0", "10000");
  }
  return {
    reason: "there are as many namespaces as the host allows, or they are nested too deep",
    remedy: "End what holds them, or raise user.max_user_namespaces and the like with sysctl(8).",
  };
};

const switches: Finder = async ({ lost }, host, launcher) => {
  if (lost === "mount.proc") return undefined;
  if (host.uid !== 0 && (await setting(host, CLONE)) === "0") return sysctl(CLONE, "0", "1");
  if ((await setting(host, APPARMOR)) !== "1" || (await hasProfile(host))) return undefined;
  return {
    reason: `AppArmor keeps programs without a profile from using user namespaces: ${APPARMOR} is 1`,
    remedy: `Load a profile for the launcher: ${userNamespaceProfile("sandboxlib-launcher", launcher).install}`,
  };
};

/** Whether an AppArmor profile applies to this process, as in a container. Then the profile decides, not the setting. */
async function hasProfile(host: Host): Promise<boolean> {
  const profile = await readFile(host, "/proc/self/attr/current");
  return profile !== undefined && !profile.startsWith("unconfined");
}

/**
 * In a user namespace the kernel mounts no new procfs when there are mounts below each procfs that can be seen. When
 * /proc/sys is read-only, the launcher can also not forbid further user namespaces.
 */
const coveredProc: Finder = async ({ lost, call }, host) => {
  if (lost !== "mount.proc" && !call.endsWith("max_user_namespaces")) return undefined;
  const mounts = (await readFile(host, "/proc/self/mountinfo")) ?? "";
  const covered = [...mounts.matchAll(/^\S+ \S+ \S+ \S+ (\/proc\/\S+) /gm)]
    .map(([, at]) => at)
    // The kernel allows a mount here, since this is an empty directory that is made as a mount point.
    .filter((at) => at !== "/proc/sys/fs/binfmt_misc");
  if (covered.length === 0) return undefined;
  return {
    reason: `parts of /proc are covered by mounts, ${covered.slice(0, 3).join(", ")} among them, as Docker and Podman do it`,
    remedy: "Start the container with --security-opt systempaths=unconfined.",
  };
};

const seccomp: Finder = async (_failure, host) => {
  const status = (await readFile(host, "/proc/self/status")) ?? "";
  if (!/^Seccomp:\s*2$/m.test(status)) return undefined;
  return {
    reason:
      "a seccomp filter around this process forbids it, such as that of Docker, Podman or a systemd service",
    remedy:
      "Start the container with --security-opt seccomp=unconfined --security-opt apparmor=unconfined, or the service without RestrictNamespaces= and SystemCallFilter=.",
  };
};

/** The kernel requires CAP_SETFCAP of a process that maps the uid 0. */
const powerlessRoot: Finder = async ({ call }, { uid }) =>
  call === "uid_map" && uid === 0
    ? {
        reason: "root without CAP_SETFCAP cannot map itself into a user namespace",
        remedy: "Run as another user, or with that capability (--cap-add SETFCAP).",
      }
    : undefined;

const oldKernel: Finder = async () => ({
  reason: "this kernel is too old",
  remedy: "Boot Linux 5.12 or newer.",
});

const notBuilt: Finder = async ({ call }) =>
  call.startsWith("clone") || call.startsWith("unshare")
    ? {
        reason: "this kernel was built without a kind of namespace",
        remedy: "Boot one with CONFIG_NAMESPACES and CONFIG_USER_NS.",
      }
    : undefined;

/** The possible causes of each error, the most likely first. */
const FORBIDDEN: readonly Finder[] = [powerlessRoot, switches, coveredProc, seccomp];
const FINDERS: Readonly<Record<string, readonly Finder[]>> = {
  EPERM: FORBIDDEN,
  EACCES: FORBIDDEN,
  ENOSPC: [spaces],
  EUSERS: [spaces],
  EROFS: [coveredProc],
  // Seccomp filters of older containers give this error for system calls that they do not know.
  ENOSYS: [seccomp, oldKernel],
  EINVAL: [notBuilt],
};

const CLONE = "kernel.unprivileged_userns_clone";
const APPARMOR = "kernel.apparmor_restrict_unprivileged_userns";

function sysctl(name: string, is: string, shouldBe: string): Cause {
  return { reason: `${name} is ${is}`, remedy: `sudo sysctl -w ${name}=${shouldBe}` };
}
