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

/**
 * The limits to set for a program: those that are asked for and, unless that is one of them, the soft limit of open files
 * that the caller has. Node raises its own to the hard one as it starts; but a program that is given many closes them one
 * by one, or calls select(2), which knows 1,024.
 */
export function rlimitsFor(limits: Limits): Rlimit[] {
  callersFiles ??= askParent();
  const { soft, hard } = callersFiles;
  if (limits.openFiles !== undefined || !(soft < hard)) return rlimitsOf(limits);
  const { resource } = RLIMITS.openFiles;
  const all = [...rlimitsOf(limits), { name: "openFiles", resource, soft, hard } as const];
  return all.sort((one, other) => one.resource - other.resource);
}

let callersFiles: ReturnType<typeof askParent> | undefined;

/** Nobody tells what Node has raised, but it had that from its parent, which is asked once. */
function askParent(): { readonly soft: number; readonly hard: number } {
  const soft = limitsOf(process.ppid, "openFiles")?.soft ?? Number.POSITIVE_INFINITY;
  return { soft, hard: ownHard("openFiles") ?? 0 };
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

/** The hard limit of this process; undefined where the kernel does not tell. */
function ownHard(name: RlimitName): number | undefined {
  return limitsOf("self", name)?.hard;
}

/** The limits of a process, as proc(5) has them; undefined where it does not. */
function limitsOf(
  pid: number | "self",
  name: RlimitName,
): { readonly soft: number; readonly hard: number } | undefined {
  const line = contentOf(`/proc/${pid}/limits`)
    ?.split("\n")
    .find((each) => each.startsWith(`${RLIMITS[name].called} `));
  const [, soft, hard] =
    /^(\S+)\s+(\S+)/.exec(line?.slice(RLIMITS[name].called.length).trim() ?? "") ?? [];
  if (soft === undefined || hard === undefined) return undefined;
  const numberOf = (text: string): number =>
    text === "unlimited" ? Number.POSITIVE_INFINITY : Number(text);
  return { soft: numberOf(soft), hard: numberOf(hard) };
}

/** What to do where a fork was refused and the config has a limit of processes. */
export const HINT_PROCESSES =
  "Raise `limits.processes`: what sets the sandbox up is counted, too. Or there are too many processes: see `ulimit -u`.";
