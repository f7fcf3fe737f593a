import { join } from "node:path";
import type { Ended } from "../backend/running.js";
import { contentOf } from "../host/host.js";
import type { Usage } from "../result/result.js";
import type { ParentCgroup } from "./hierarchy.js";
import type { CgroupLimits } from "./setting.js";

/** What a cgroup has counted, each absent where the kernel does not tell. */
export interface Stats {
  /** What a result tells of it. */
  readonly usage: Omit<Usage, "wallTime">;
  /** Processes that the kernel killed for want of memory, whosever limit it was. */
  readonly oomKills: number;
  /** Whether its own memory limit was ever hit, and what was freed for it did not suffice. */
  readonly memoryWasFull: boolean;
}

/** Reads everything that a cgroup has counted so far. `directories` are its own, each with its parent. */
export function statsOf(directories: ReadonlyMap<ParentCgroup, string>): Stats {
  const found: Record<string, number | undefined> = {};
  for (const [{ version }, directory] of directories) {
    const read = (file: string): string | undefined => contentOf(join(directory, file));
    Object.assign(found, defined(version === 2 ? unified(read) : legacy(read)));
  }
  const { memoryHits = 0, ...usage } = found;
  return {
    usage: defined(usage),
    oomKills: usage["oomKills"] ?? 0,
    memoryWasFull: memoryHits > 0,
  };
}

type Read = (file: string) => string | undefined;
type Found = Readonly<Record<string, number | undefined>>;

/** cgroup v2: Documentation/admin-guide/cgroup-v2.rst of the kernel. */
function unified(read: Read): Found {
  const cpu = read("cpu.stat");
  const memory = read("memory.events");
  const io = read("io.stat");
  return {
    userTime: seconds(numberIn(cpu, "user_usec"), 1e6),
    systemTime: seconds(numberIn(cpu, "system_usec"), 1e6),
    peakMemory: numberIn(read("memory.peak")),
    oomKills: numberIn(memory, "oom_kill"),
    memoryHits: numberIn(memory, "oom"),
    blockReads: io === undefined ? undefined : sum(io, /\brbytes=(\d+)/g),
    blockWrites: io === undefined ? undefined : sum(io, /\bwbytes=(\d+)/g),
    ...processes(read),
  };
}

/** cgroup v1: Documentation/admin-guide/cgroup-v1 of the kernel. */
function legacy(read: Read): Found {
  const io = read("blkio.throttle.io_service_bytes");
  const peakMemory = numberIn(read("memory.max_usage_in_bytes"));
  return {
    ...legacyTimes(read),
    peakMemory,
    oomKills: numberIn(read("memory.oom_control"), "oom_kill"),
    // Newer kernels (6.18 for one) no longer count in memory.failcnt what leads to a kill.
    memoryHits: isNear(peakMemory, numberIn(read("memory.limit_in_bytes"))),
    blockReads: io === undefined ? undefined : sum(io, / Read (\d+)$/gm),
    blockWrites: io === undefined ? undefined : sum(io, / Write (\d+)$/gm),
    ...processes(read),
  };
}

/** The sum is exact. User and system time are counted in ticks, and a short program may end before the first one. */
function legacyTimes(read: Read): Found {
  const total = numberIn(read("cpuacct.usage"));
  const user = numberIn(read("cpuacct.usage_user"));
  const system = numberIn(read("cpuacct.usage_sys"));
  if (total === undefined || user === undefined || system === undefined) return {};
  const share = user + system === 0 ? 1 : user / (user + system);
  return { userTime: (total * share) / 1e9, systemTime: (total * (1 - share)) / 1e9 };
}

/** The kernel charges in batches. */
function isNear(peak: number | undefined, limit: number | undefined): number | undefined {
  return peak === undefined || limit === undefined ? undefined : Number(peak >= limit - 2 ** 20);
}

function processes(read: Read): Found {
  return {
    peakProcesses: numberIn(read("pids.peak")),
    refusedForks: numberIn(read("pids.events"), "max"),
  };
}

/** The number after a word, as in `memory.events`, or the whole content as a number. */
function numberIn(text: string | undefined, word?: string): number | undefined {
  const digits =
    word === undefined ? text : new RegExp(`^${word} (\\d+)$`, "m").exec(text ?? "")?.[1];
  return digits !== undefined && /^\d+$/.test(digits) ? Number(digits) : undefined;
}

function seconds(value: number | undefined, perSecond: number): number | undefined {
  return value === undefined ? undefined : value / perSecond;
}

/** Adds up the lines of the devices. A file without lines means 0. */
function sum(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((total, [, digits]) => total + Number(digits), 0);
}

function defined(found: Found): Record<string, number> {
  return Object.fromEntries(
    Object.entries(found).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/**
 * The end of a program, with what the cgroup of its sandbox has counted.
 *
 * @param isAlone - Whether the sandbox was for this program only, so that what the cgroup counts is its own.
 * @param before - Of a program that shares it: how many processes had been killed for want of memory before it.
 */
export function withStats<End extends Ended>(
  ended: End,
  group: { readonly limits: CgroupLimits; readonly stats: () => Stats },
  isAlone: boolean,
  before = 0,
): End {
  const { usage, oomKills, memoryWasFull } = group.stats();
  const bytes = group.limits.memory;
  return {
    ...ended,
    ...(isAlone && { usage: { ...uncountable(ended.usage), ...usage } }),
    ...(bytes !== undefined && memoryWasFull && oomKills > before && { outOfMemory: bytes }),
  };
}

/** Keeps what no cgroup counts. Other figures of the program alone would be taken for those of the whole sandbox. */
function uncountable(own: Ended["usage"] = {}): Ended["usage"] {
  return Object.fromEntries(Object.entries(own).filter(([name]) => UNCOUNTABLE.has(name)));
}

const UNCOUNTABLE: ReadonlySet<string> = new Set([
  "minorFaults",
  "majorFaults",
  "voluntarySwitches",
  "involuntarySwitches",
]);
