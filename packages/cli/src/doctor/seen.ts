import type { Observed } from "./observe.js";
import type { Layer } from "./places.js";
import type { Step } from "./steps.js";

/** What refused, and what to do. */
export interface Diagnosis {
  readonly layer: Layer;
  readonly cause: string;
  /** A command that makes it work, or other advice; several, each on a line. */
  readonly fix?: string;
  /** It was refused to what was tried, and works for the programs of the backends. */
  readonly works?: true;
}

/** The first step that was refused, and where. */
export interface Seen {
  readonly step: Step;
  /** What it has said. */
  readonly said: string;
  /** The name of the error of the kernel; empty where none is recognised. */
  readonly error: string;
  readonly host: Observed;
}

/** A cause, if it is what was seen. */
export type Finder = (seen: Seen) => Diagnosis | undefined;

/** The name of the error of the kernel that a tool has told; empty where none is recognised. */
export function errorIn(said: string): string {
  return ERRORS.find(([text]) => said.includes(text))?.[1] ?? "";
}

const ERRORS = [
  ["Operation not permitted", "EPERM"],
  ["Permission denied", "EACCES"],
  ["Function not implemented", "ENOSYS"],
  ["No space left on device", "ENOSPC"],
  ["Too many users", "EUSERS"],
  ["Invalid argument", "EINVAL"],
  ["SIGSYS", "SIGSYS"],
] as const;

/** How the rules of a layer are lifted here. */
export function fixIn({ places }: Observed, layer: keyof typeof ELSEWHERE): string {
  return places.find(({ fixes }) => fixes[layer])?.fixes[layer] ?? ELSEWHERE[layer];
}

const ELSEWHERE = {
  seccomp:
    "Whoever started this process has set it. For a systemd service: RestrictNamespaces=no, and no SystemCallFilter= that denies @mount; for a container: another seccomp profile.",
  apparmor: "Change that profile in /etc/apparmor.d, or start this process without it.",
  capability: "Run as a root that has it.",
  kernel: "Boot a kernel with CONFIG_USER_NS.",
  "no-new-privileges":
    "Start this process without no_new_privs. For a systemd service: NoNewPrivileges=no.",
} as const;

/** The value of a setting as sysctl(8) names it; undefined where this kernel does not have it. */
export function setting({ read }: Observed, name: string): string | undefined {
  return read(`/proc/sys/${name.replaceAll(".", "/")}`);
}

export function sysctl(name: string, is: string, shouldBe: string): Diagnosis {
  return {
    layer: "sysctl",
    cause: `${name} is ${is}`,
    fix: `sudo sysctl -w ${name}=${shouldBe}`,
  };
}

/** A field of /proc/self/status. */
export function statusOf({ read }: Observed, field: string): string | undefined {
  const status = read("/proc/self/status") ?? "";
  return new RegExp(`^${field}:\\s*(\\S+)`, "m").exec(status)?.[1];
}

/** The numbers of capabilities(7). */
export const CAPABILITY = { SYS_ADMIN: 21, SETFCAP: 31 } as const;

export function hasCapability(host: Observed, name: keyof typeof CAPABILITY): boolean {
  const effective = BigInt(`0x${statusOf(host, "CapEff") ?? "0"}`);
  return ((effective >> BigInt(CAPABILITY[name])) & 1n) === 1n;
}

/** The profile or label that a security module has put on this process; empty where there is none. */
export function labelOf({ read }: Observed): string {
  return (read("/proc/self/attr/current") ?? "").replaceAll("\0", "").trim();
}
