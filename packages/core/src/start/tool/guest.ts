import { getSystemErrorName } from "node:util";
import type { Report } from "../../backend/plan.js";
import type { SeccompFilter } from "../../backend/resolved-config.js";
import type { Verdict } from "../../backend/running.js";
import type { Limits } from "../../config/types.js";
import { rlimitsFor } from "../../host/rlimit.js";
import { filter } from "../../host/seccomp-filter.js";
import { usageOf, verdictOf } from "../launcher/ending.js";

/** Where a guest finds something: the number of an fd, or the path of a file or FIFO inside. */
type At = number | string;

/** What a guest is to do. `PROTOCOL.md` describes each of them. */
export interface GuestOptions {
  readonly report: At;
  readonly lifeline?: At;
  readonly variables?: At;
  readonly filter?: At;
  readonly profile?: At;
  readonly command?: At;
  /** The first of three fds. */
  readonly streams?: number;
  readonly cwd?: string;
  readonly root?: string;
  /** `UID:GID` */
  readonly user?: string;
  readonly dev?: readonly string[];
  readonly limits?: Limits;
}

/**
 * What core knows of the guest of `@sandboxlib/launcher`, the init inside a sandbox that some tool has made. Its
 * `PROTOCOL.md` describes it.
 */
export const guest: {
  /** The words after the launcher's own name. The program follows, unless it comes as `command`. */
  readonly words: (options: GuestOptions) => string[];
  /** A program's variables, as data for `variables`. */
  readonly variables: (env: Readonly<Record<string, string>>) => string;
  /** A filter that pid 1 could not live with, as data for `profile`; undefined for one that `filter` can take. */
  readonly profile: (seccomp: SeccompFilter | undefined) => Uint8Array | undefined;
  /** What a guest tells while it runs. */
  readonly readReport: (report: string) => Report;
  /** What became of its program; undefined when the guest ended before that did, and so was killed. */
  readonly verdict: (report: string) => Verdict | undefined;
} = {
  words: ({ dev = [], limits, ...options }) => [
    "guest",
    ...Object.entries(options).map(([name, value]) => `${name}=${value}`),
    ...dev.map((path) => `dev=${path}`),
    ...(limits === undefined ? [] : rlimitsFor(limits)).map(
      ({ resource, soft, hard }) => `rlimit=${resource}:${kernelLimit(soft)}:${kernelLimit(hard)}`,
    ),
    "--",
  ],
  variables: (env) =>
    Object.entries(env)
      .map(([name, value]) => `${name}=${value}\0`)
      .join(""),
  profile(seccomp) {
    if (seccomp === "strict") return filter(seccomp);
    return typeof seccomp === "string" ? undefined : seccomp;
  },
  readReport(report) {
    const [, pid] = /^up (\d+)$/m.exec(report) ?? [];
    const usage = numbersOf(report);
    return {
      ...(pid !== undefined && { supervisor: Number(pid) }),
      ...(usage !== undefined && { usage: usageOf(usage) }),
    };
  },
  verdict(report) {
    const numbers = numbersOf(report);
    if (numbers !== undefined) return verdictOf(numbers.status);
    const [, step, errno] = /^failed (\w+) (\d+)$/m.exec(report) ?? [];
    return step === undefined ? undefined : failed(step, nameOf(Number(errno)));
  },
};

/** RLIM_INFINITY stands for no limit. */
function kernelLimit(limit: number): string {
  return Number.isFinite(limit) ? String(limit) : "18446744073709551615";
}

/** In the order in which the guest tells them. */
const NUMBERS = [
  "status",
  "userTime",
  "systemTime",
  "maxResident",
  "minorFaults",
  "majorFaults",
  "blocksRead",
  "blocksWritten",
  "voluntarySwitches",
  "involuntarySwitches",
] as const;

function numbersOf(report: string): Record<(typeof NUMBERS)[number], number> | undefined {
  const values = /^ended((?: \d+){10})$/m.exec(report)?.[1]?.trim().split(" ");
  if (values === undefined) return undefined;
  const entries = NUMBERS.map((name, index) => [name, Number(values[index])]);
  return Object.fromEntries(entries) as Record<(typeof NUMBERS)[number], number>;
}

function nameOf(errno: number): string {
  return errno > 0 ? getSystemErrorName(-errno) : "it is not in force";
}

function failed(step: string, why: string): Verdict {
  const failure = { kind: "failed", path: "command" } as const;
  if (step === "exec" && why === "ENOENT")
    return { ...failure, code: "COMMAND_NOT_FOUND", message: "command: it does not exist inside" };
  if (step === "exec")
    return {
      ...failure,
      code: OURS.has(why) ? "LAUNCH_FAILED" : "COMMAND_NOT_EXECUTABLE",
      message: `command: it cannot be executed: ${why}`,
    };
  if (step === "cwd")
    return {
      kind: "failed",
      code: "PATH_INVALID",
      path: "cwd",
      message: `cwd: it cannot be entered: ${why}`,
    };
  const message = `the init inside cannot set itself up: ${step}: ${why}`;
  return { kind: "failed", code: "LAUNCH_FAILED", message };
}

/** Errors of execve(2) that are about the host or the length of the command, not about the program. */
const OURS: ReadonlySet<string> = new Set(["ENOMEM", "EAGAIN", "EMFILE", "ENFILE", "E2BIG"]);
