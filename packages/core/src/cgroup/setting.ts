import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Capability } from "../capability/capability.js";
import { contentOf } from "../host/host.js";
import type { Controller } from "./hierarchy.js";

/** The limits that a cgroup can keep. */
export type CgroupLimit = "memory" | "processes" | "cpu" | "ioWeight";

/** Them and the swap beside the memory, as the config has them. */
export type CgroupLimits = {
  readonly [Name in CgroupLimit | "swap"]?: number | undefined;
};

/** The controller behind each limit. */
export const CONTROLLERS: Readonly<Record<CgroupLimit, Controller>> = {
  memory: "memory",
  processes: "pids",
  cpu: "cpu",
  ioWeight: "io",
};

/** All of them, in the order of the docs. */
export const CGROUP_LIMITS = Object.keys(CONTROLLERS) as readonly CgroupLimit[];

/** Whether a capability is one that core keeps by a cgroup, whatever the backend. */
export function isCgroupCapability(capability: Capability): boolean {
  return CGROUP_LIMITS.some((limit) => capability === `limit.${limit}`);
}

/** One file to write, and what the kernel has to say afterwards. */
interface Setting {
  readonly file: string;
  readonly value: string;
  readonly isSet: (content: string) => boolean;
}

/** What went wrong, to follow the name of the limit. */
export interface Unset {
  readonly reason: string;
  readonly remedy?: string;
}

/**
 * Sets one limit on a new cgroup and reads back that it is set. Returns the names of the files, or why it is not set.
 */
export function setLimit(
  limit: CgroupLimit,
  limits: CgroupLimits,
  version: 1 | 2,
  directory: string,
): readonly string[] | Unset {
  const settings = settingsFor(limit, limits, version, directory);
  if (!Array.isArray(settings)) return settings as Unset;
  for (const { file, value, isSet } of settings as Setting[]) {
    const path = join(directory, file);
    try {
      writeFileSync(path, value);
      const content = readFileSync(path, "utf8").trim();
      if (!isSet(content)) return { reason: `${path} says ${content} after ${value} was written` };
    } catch (error) {
      return { reason: `${path} cannot be set to ${value}: ${String(error)}` };
    }
  }
  return (settings as Setting[]).map(({ file }) => file);
}

function settingsFor(
  limit: CgroupLimit,
  limits: CgroupLimits,
  version: 1 | 2,
  directory: string,
): Setting[] | Unset {
  const value = limits[limit] ?? 0;
  const has = (file: string): boolean => contentOf(join(directory, file)) !== undefined;
  switch (limit) {
    case "memory":
      return memory(value, limits.swap ?? 0, version, has);
    case "processes":
      return [exactly("pids.max", value)];
    case "cpu":
      return cpu(Math.max(1000, Math.round(value * PERIOD)), version);
    case "ioWeight":
      return weight(value, version, has);
  }
}

function memory(
  bytes: number,
  swap: number,
  version: 1 | 2,
  has: (file: string) => boolean,
): Setting[] | Unset {
  const [file, swapFile] =
    version === 2
      ? ["memory.max", "memory.swap.max"]
      : ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"];
  const settings = [inPages(file, bytes)];
  if (has(swapFile)) settings.push(inPages(swapFile, version === 2 ? swap : bytes + swap));
  else if (hasSwap())
    return {
      reason: `the host has swap, and its kernel does not count it: there is no ${swapFile}`,
      remedy: "Boot with swapaccount=1, or turn the swap off (swapoff -a).",
    };
  // Without it the kernel would kill one process only, and the rest of the program would go on in an unforeseen state.
  if (has("memory.oom.group")) settings.push(exactly("memory.oom.group", 1));
  return settings;
}

/** Whether the host has swap: /proc/swaps has a header and a line for each device. */
function hasSwap(): boolean {
  return (contentOf("/proc/swaps") ?? "").split("\n").length > 1;
}

/** The kernel rounds down to whole pages, of 64 KiB at most. */
function inPages(file: string, bytes: number): Setting {
  const isSet = (content: string): boolean =>
    Number(content) <= bytes && bytes - Number(content) < 65_536;
  return { file, value: String(bytes), isSet };
}

/** Microseconds. */
const PERIOD = 100_000;

function cpu(quota: number, version: 1 | 2): Setting[] {
  if (version === 1)
    return [exactly("cpu.cfs_period_us", PERIOD), exactly("cpu.cfs_quota_us", quota)];
  return [exactly("cpu.max", `${quota} ${PERIOD}`)];
}

/** Which file there is depends on the I/O scheduler. The weights of version 1 and of BFQ go up to 1000 only. */
function weight(value: number, version: 1 | 2, has: (file: string) => boolean): Setting[] | Unset {
  const scaled = value <= 100 ? value : Math.round(100 + ((value - 100) * 900) / 9900);
  const files: readonly (readonly [string, number])[] =
    version === 2
      ? [
          ["io.weight", value],
          ["io.bfq.weight", scaled],
        ]
      : [
          ["blkio.weight", Math.max(10, scaled)],
          ["blkio.bfq.weight", scaled],
        ];
  const found = files.filter(([file]) => has(file));
  if (found.length === 0)
    return {
      reason: `the kernel has none of ${files.map(([file]) => file).join(" and ")}`,
      remedy: "Boot a kernel with CONFIG_BLK_CGROUP_IOCOST or CONFIG_BFQ_GROUP_IOSCHED.",
    };
  return found.map(([file, number]) => ({
    file,
    value: String(number),
    isSet: (content) => content.split("\n")[0]?.replace(/^default /, "") === String(number),
  }));
}

function exactly(file: string, value: number | string): Setting {
  return { file, value: String(value), isSet: (content) => content === String(value) };
}
