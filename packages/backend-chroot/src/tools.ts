import { dirname } from "node:path";
import type { Host, Observation, Verdict } from "@sandboxlib/core";

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

/** The trusted path of a program; its bare name where the probe has found that there is none. */
export function found(tool: string, host: Host): string {
  return host.which(tool) ?? tool;
}

/** The directories of the tools, for a shell that looks them up. */
export function searchPath(host: Host): string {
  return [...new Set(LINUX_TOOLS.map((tool) => dirname(found(tool, host))))].join(":");
}

/**
 * The options of setpriv(1) that leave root what it takes to install and to build, and nothing over the host's kernel,
 * devices or processes. Without CAP_SYS_PTRACE `/proc/1/root` leads nowhere, without CAP_SYS_ADMIN no mount can be
 * taken away from above the host's root.
 */
export const FEW: readonly string[] = [
  "--bounding-set",
  "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+setfcap,+sys_chroot,+net_bind_service",
  "--inh-caps",
  "-all",
  "--no-new-privs",
  "--",
];

/** The mode is the one that tmpfs(5) has by default. An empty file takes no space, but memory all the same. */
export function tmpfsOptions(size?: number): string {
  const mode = "mode=1777,nosuid,nodev";
  if (size === undefined) return mode;
  return `${mode},size=${size},nr_inodes=${Math.max(128, Math.ceil(size / 1024))}`;
}

/** The mount options of the others. */
export const OPTIONS = {
  dev: "mode=0755,nosuid",
  proc: "nosuid,nodev,noexec",
} as const;

/** Fills the empty directory `$1` with a minimal set of devices; copies, so that root must be let make nodes. */
export const FILL_DEV =
  '(cd /dev && cp -a null zero full random urandom tty fd stdin stdout stderr "$1") && mkdir -m 1777 "$1/shm"';

/** What the last tool before the program says when it could not start it, which is all that was ever written. */
export function notStarted(tool: RegExp, { exitCode, stderr }: Observation): Verdict | undefined {
  if (!tool.test(stderr) || (exitCode !== 126 && exitCode !== 127)) return undefined;
  const code = exitCode === 126 ? "COMMAND_NOT_EXECUTABLE" : "COMMAND_NOT_FOUND";
  return { kind: "failed", code, message: `command: ${stderr.trim()}` };
}
