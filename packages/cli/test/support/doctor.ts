import { spawnSync } from "node:child_process";
import type { Finding } from "../../src/doctor/check-host.js";
import { commandOf, type Step } from "../../src/doctor/steps.js";
import { BIN } from "./cli.js";

/** How the doctor is started: in a changed environment, by a command before it. */
export interface Around {
  /** A program with its arguments. */
  readonly prefix: readonly string[];
  /** Given as fd 3. */
  readonly fd?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** What the doctor finds in a changed environment, as text. */
export function doctorText({ prefix, fd, env }: Around, ...options: readonly string[]): string {
  const [program, ...args] = [...prefix, process.execPath, BIN.sandboxlib, "doctor"];
  const { stdout, stderr } = spawnSync(program, [...args, ...options], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe", ...(fd === undefined ? [] : [fd])],
  });
  if (stderr !== "") throw new Error(stderr);
  return stdout;
}

/** The same, of the kernel alone, as data. */
export function findingsIn(around: Around): Finding[] {
  return (JSON.parse(doctorText(around, "--json")) as { findings: Finding[] }).findings;
}

/** What it finds of each step, from one run. */
export function lookInto(around: Around): (step: Step) => Finding | undefined {
  const findings = findingsIn(around);
  return (step) => findings.find(({ what }) => what.endsWith(` (${commandOf(step)})`));
}

export const ROOT: boolean = process.getuid?.() === 0;

/** Runs what follows as root of user and mount namespaces of its own. */
export const IN_USER: readonly string[] = ["unshare", "--map-root-user", "--mount", "--"];

/** Why there are none here; undefined where there are. */
export const noUser: string | undefined =
  spawnSync("unshare", [...IN_USER.slice(1), "true"]).status === 0
    ? undefined
    : "needs user namespaces";

/** A shell that changes something and goes on with what follows. */
export function after(script: string): string[] {
  return ["/bin/sh", "-ec", `${script}\nexec "$@"`, "sh"];
}

/**
 * Covers parts of /proc, as a container has them: of every procfs that can be seen, since one that shows everything is
 * enough for the kernel.
 */
export const MASK = `for at in $(findmnt -rno TARGET -t proc); do
  mount --bind /dev/null $at/interrupts; mount -t tmpfs -o ro tmpfs $at/tty
  mount --bind $at/sys $at/sys; mount -o remount,bind,ro,nosuid,nodev,noexec $at/sys; done`;
