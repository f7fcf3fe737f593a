import type { Limits } from "./types.js";

/** The limits that are set. */
export function limitsIn(limits: Limits): (keyof Limits)[] {
  return (Object.keys(limits) as (keyof Limits)[]).filter((name) => limits[name] !== undefined);
}

/** The same limits without some of them. */
export function limitsWithout(limits: Limits, isGone: (name: keyof Limits) => boolean): Limits {
  const left = limitsIn(limits).filter((name) => !isGone(name));
  return Object.fromEntries(left.map((name) => [name, limits[name]]));
}

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
