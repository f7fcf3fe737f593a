import { dirname } from "node:path";
import type { Host, KeepableCapability, Observation, Verdict } from "@sandboxlib/core/backend";

/** The programs of the host that a run on Linux uses. */
export const LINUX_TOOLS: readonly string[] = [
  "unshare",
  "mount",
  "setsid",
  "setpriv",
  "sh",
  "env",
  "cp",
  "mkdir",
  "ln",
];

/** The trusted path of a tool. It is the bare name for a tool that is not installed, which the probe reports. */
export function found(tool: string, host: Host): string {
  return host.which(tool) ?? tool;
}

/** The directories of the tools, for a shell that looks them up. */
export function searchPath(host: Host): string {
  return [...new Set(LINUX_TOOLS.map((tool) => dirname(found(tool, host))))].join(":");
}

/**
 * What a program of root's keeps: the capabilities for installing and building software, and none over the kernel, the
 * devices or the processes of the host. Without CAP_SYS_PTRACE it cannot open `/proc/1/root`. Without CAP_SYS_ADMIN it
 * cannot unmount its root, below which the root of the host may lie.
 */
export const KEPT: readonly KeepableCapability[] = [
  "chown",
  "dac_override",
  "fowner",
  "fsetid",
  "kill",
  "setgid",
  "setuid",
  "setpcap",
  "setfcap",
  "sys_chroot",
  "net_bind_service",
];

/** The options of setpriv(1) that leave it {@link KEPT}. */
export const FEW: readonly string[] = [
  "--bounding-set",
  ["-all", ...KEPT.map((name) => `+${name}`)].join(","),
  "--inh-caps",
  "-all",
  "--no-new-privs",
  "--",
];

/**
 * The mount options of a tmpfs. Its mode is the default of tmpfs(5). An empty file takes memory too, so inodes are
 * limited.
 */
export function tmpfsOptions(size?: number): string {
  const mode = "mode=1777,nosuid,nodev";
  if (size === undefined) return mode;
  return `${mode},size=${size},nr_inodes=${Math.max(128, Math.ceil(size / 1024))}`;
}

/** The mount options of the other file systems. */
export const OPTIONS = {
  dev: "mode=0755,nosuid",
  proc: "nosuid,nodev,noexec",
} as const;

/** A shell command that copies a minimal set of devices to the empty directory `$1`, which takes CAP_MKNOD. */
export const FILL_DEV =
  '(cd /dev && cp -a null zero full random urandom tty fd stdin stdout stderr "$1") && mkdir -m 1777 "$1/shm"';

/**
 * Recognizes a program that could not be started: the standard error holds the message of the last tool and nothing
 * else.
 */
export function notStarted(tool: RegExp, { exitCode, stderr }: Observation): Verdict | undefined {
  if (!tool.test(stderr) || (exitCode !== 126 && exitCode !== 127)) return undefined;
  const code = exitCode === 126 ? "COMMAND_NOT_EXECUTABLE" : "COMMAND_NOT_FOUND";
  return { kind: "failed", code, message: `command: ${stderr.trim()}` };
}
