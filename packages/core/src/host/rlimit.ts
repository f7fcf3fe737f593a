import type { Limits } from "../config/types.js";
import { SandboxError } from "../result/error.js";
import { contentOf } from "./host.js";

/** The limits that setrlimit(2) sets. */
export type RlimitName = keyof typeof RLIMITS;

/** A limit of setrlimit(2) as it is to be set. */
export interface Rlimit {
  readonly name: RlimitName;
  /** The kernel's number of it. */
  readonly resource: number;
  readonly soft: number;
  readonly hard: number;
}

/** The number of each limit in the kernel, its option of prlimit(1), and what /proc/self/limits calls it. */
export const RLIMITS = {
  cpuTime: { resource: 0, option: "cpu", called: "Max cpu time" },
  fileSize: { resource: 1, option: "fsize", called: "Max file size" },
  stack: { resource: 3, option: "stack", called: "Max stack size" },
  coreSize: { resource: 4, option: "core", called: "Max core file size" },
  openFiles: { resource: 7, option: "nofile", called: "Max open files" },
  addressSpace: { resource: 9, option: "as", called: "Max address space" },
} as const;

/** Which of the limits are for setrlimit(2), in the order of its numbers. */
export function rlimitsOf(limits: Limits): Rlimit[] {
  return rlimitNames().flatMap((name): Rlimit[] => {
    const value = limits[name];
    if (value === undefined) return [];
    const { resource } = RLIMITS[name];
    // With a second between them, the program can be told from one that somebody killed.
    if (name === "cpuTime")
      return [{ name, resource, soft: Math.ceil(value), hard: Math.ceil(value) + 1 }];
    return [{ name, resource, soft: value, hard: value }];
  });
}

/** All of them. */
export function rlimitNames(): RlimitName[] {
  return Object.keys(RLIMITS) as RlimitName[];
}

/**
 * Refuses a limit above the hard limit of this process, which only privileged processes can raise: the lower one would
 * hold instead.
 *
 * @throws SandboxError `LAUNCH_FAILED` for the first limit above this process's own hard one.
 */
export function assertBelowHard(limits: Limits): void {
  for (const { name, hard } of rlimitsOf(limits)) {
    const own = ownHard(name);
    if (own !== undefined && hard > own) throw limitFailure(name, limits, "it is above that");
  }
}

/** What to say of a limit that could not be set. */
export function limitFailure(name: RlimitName, limits: Limits, why: string): SandboxError {
  const own = ownHard(name);
  const most = own === undefined ? "" : `; the hard limit of this process is ${mostOf(own)}`;
  return new SandboxError(
    "LAUNCH_FAILED",
    `limits.${name}: ${limits[name]} cannot be set (${why}${most})`,
    {
      path: `limits.${name}`,
      hint: "Ask for less, or raise the hard limit where this process is started (ulimit -H).",
    },
  );
}

function mostOf(limit: number): string {
  return Number.isFinite(limit) ? String(limit) : "unlimited";
}

/** The hard limit of this process, as the kernel tells it; undefined where it does not tell. */
function ownHard(name: RlimitName): number | undefined {
  const line = contentOf("/proc/self/limits")
    ?.split("\n")
    .find((each) => each.startsWith(`${RLIMITS[name].called} `));
  const [, , hard] =
    /^(\S+)\s+(\S+)/.exec(line?.slice(RLIMITS[name].called.length).trim() ?? "") ?? [];
  if (hard === undefined) return undefined;
  return hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
}

/** What to do where a fork was refused and the config has a limit of processes. */
export const HINT_PROCESSES =
  "Raise `limits.processes`: what sets the sandbox up is counted, too. Or there are too many processes: see `ulimit -u`.";
