import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { errnoOf } from "../host/host.js";
import { ownedName } from "../host/owner.js";
import { SandboxError } from "../result/error.js";
import type { ParentCgroup } from "./hierarchy.js";
import { CGROUP_LIMITS, type CgroupLimits, CONTROLLERS, setLimit } from "./setting.js";
import { type Stats, statsOf } from "./stats.js";

/** The cgroup of one sandbox: a directory in each of the hierarchies that it needs. */
export interface Group {
  readonly limits: CgroupLimits;
  /** Of version 2: the files to which the pid of what is to be in it is written. */
  readonly procs: readonly string[];
  /** Of version 1: the files in which a process can enter itself, which is cheaper: see the launcher. */
  readonly tasks: readonly string[];
  /**
   * Puts a process into it, and reads back that it is there.
   *
   * @throws SandboxError `LAUNCH_FAILED`
   */
  admit(pid: number): void;
  /** What it has counted, at its end at the latest. */
  stats(): Stats;
  /**
   * Kills what is still in it and removes it.
   *
   * @throws SandboxError `CLEANUP_FAILED`
   */
  end(): Promise<void>;
}

/**
 * Makes a cgroup with limits, each of which has been read back.
 *
 * @param isSession - Whether it is for many programs, which need not die together.
 * @throws SandboxError `LAUNCH_FAILED`, naming the limit and the file.
 */
export function makeGroup(
  parents: readonly ParentCgroup[],
  limits: CgroupLimits,
  isSession: boolean,
): Group {
  const directories = makeDirectories(parents);
  try {
    applyLimits(directories, limits, isSession);
  } catch (error) {
    for (const directory of directories.values()) rmdirSync(directory);
    throw error;
  }
  const files = (name: string, ...versions: readonly number[]): string[] =>
    [...directories].flatMap(([{ version }, directory]) =>
      versions.includes(version) ? [join(directory, name)] : [],
    );
  let last: Stats | undefined;
  const stats = (): Stats => last ?? statsOf(directories);
  return {
    limits,
    procs: files("cgroup.procs", 2),
    tasks: files("tasks", 1),
    admit(pid) {
      for (const file of files("cgroup.procs", 1, 2)) admit(pid, file);
    },
    stats,
    async end() {
      if (last !== undefined) return;
      killAll([...directories.values()]);
      last = stats();
      for (const directory of directories.values()) await removed(directory);
    },
  };
}

function makeDirectories(parents: readonly ParentCgroup[]): ReadonlyMap<ParentCgroup, string> {
  const name = cgroupName();
  const made = new Map<ParentCgroup, string>();
  for (const parent of parents) {
    const directory = join(parent.directory, name);
    try {
      mkdirSync(directory);
    } catch (error) {
      for (const path of made.values()) rmdirSync(path);
      throw new SandboxError("LAUNCH_FAILED", `${directory} cannot be made: ${errnoOf(error)}`, {
        path: "limits",
      });
    }
    made.set(parent, directory);
  }
  return made;
}

/** A new name for a cgroup, which says whose it is: `gc` needs no journal for it. */
export function cgroupName(): string {
  return `${CGROUP_PREFIX}${ownedName()}`;
}

/** What the name of each of them begins with. */
export const CGROUP_PREFIX = "sandboxlib-";

function applyLimits(
  directories: ReadonlyMap<ParentCgroup, string>,
  limits: CgroupLimits,
  isSession: boolean,
): void {
  for (const limit of CGROUP_LIMITS) {
    if (limits[limit] === undefined) continue;
    const [parent, directory] =
      [...directories].find(([{ controllers }]) => controllers.has(CONTROLLERS[limit])) ?? [];
    const path = `limits.${limit}`;
    if (parent === undefined || directory === undefined)
      throw new SandboxError("LAUNCH_FAILED", `${path}: there is no cgroup for it`, { path });
    const set = setLimit(limit, limits, parent.version, directory);
    if ("reason" in set) {
      const hint = set.remedy ?? "A cgroup above it may allow less.";
      throw new SandboxError("LAUNCH_FAILED", `${path}: ${set.reason}`, { path, hint });
    }
    if (isSession && set.includes("memory.oom.group"))
      writeFileSync(join(directory, "memory.oom.group"), "0");
  }
}

function admit(pid: number, file: string): void {
  let why = "it is not there although it was put there";
  try {
    writeFileSync(file, String(pid));
    if (readFileSync(file, "utf8").split("\n").includes(String(pid))) return;
  } catch (error) {
    why = errnoOf(error);
  }
  throw new SandboxError("LAUNCH_FAILED", `${file}: the run cannot be put there: ${why}`, {
    path: "limits",
    hint: "Who moves a process needs write access to both cgroups and to what they have in common: see cgroups(7).",
  });
}

const TIME_LIMIT = 5_000;

/** A process that is just dying keeps it busy for a moment. */
async function removed(directory: string): Promise<void> {
  const deadline = performance.now() + TIME_LIMIT;
  for (;;) {
    try {
      rmdirSync(directory);
      return;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "ENOENT") return;
      if (errno !== "EBUSY" || performance.now() > deadline) throw busy(directory, errno);
    }
    killAll([directory]);
    await setTimeout(1);
  }
}

function busy(directory: string, errno: string): SandboxError {
  return new SandboxError("CLEANUP_FAILED", `${directory} cannot be removed: ${errno}`, {
    hint: "Find out what is still in it, then run `sandboxlib gc`.",
  });
}

/**
 * Kills every process in the cgroups of one run: at once in version 2. In version 1 none of them can fork any more
 * where the pids controller is there, so that a few rounds get them all.
 */
export function killAll(directories: readonly string[]): void {
  for (const directory of directories) {
    if (processesIn(directory).length === 0 || attempt(join(directory, "cgroup.kill"), "1"))
      continue;
    for (const each of directories) attempt(join(each, "pids.max"), "0");
    for (let round = 0; round < ROUNDS; round += 1) {
      const pids = processesIn(directory);
      if (pids.length === 0) break;
      for (const pid of pids) kill(pid);
    }
  }
}

const ROUNDS = 10;

function attempt(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: "r+" });
    return true;
  } catch {
    return false;
  }
}

function processesIn(directory: string): number[] {
  try {
    const text = readFileSync(join(directory, "cgroup.procs"), "utf8");
    // A process of another pid namespace is shown as 0, which kill(2) would take for our own process group.
    return text
      .split("\n")
      .map(Number)
      .filter((pid) => pid > 1);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
