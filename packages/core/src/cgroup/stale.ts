import { readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { errnoOf } from "../host/host.js";
import { fateOf } from "../host/owner.js";
import { CGROUP_PREFIX, killAll } from "./group.js";
import { hierarchies } from "./hierarchy.js";

/** What became of cgroups that dead processes have left. */
export interface StaleCgroups {
  readonly removed: readonly string[];
  /** Each with the reason. */
  readonly failed: readonly string[];
}

/**
 * Kills what is left in the cgroups of dead processes, and removes them. They are looked for wherever cgroups are, as
 * nobody knows where a process that is gone has made them; those of others that this user cannot remove are left alone.
 */
export async function removeStaleCgroups(): Promise<StaleCgroups> {
  const removed: string[] = [];
  const failed: string[] = [];
  for (const mount of new Set(hierarchies().map((hierarchy) => hierarchy.mount)))
    for (const path of await staleIn(mount)) {
      killAll([path]);
      const errno = await remove(path);
      if (errno === undefined) removed.push(path);
      else if (errno !== "ENOENT" && errno !== "EACCES" && errno !== "EPERM" && errno !== "EROFS")
        failed.push(`rmdir ${path}: ${errno}`);
    }
  return { removed, failed };
}

async function staleIn(directory: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await subdirectories(directory)) {
    const path = join(directory, name);
    found.push(...(await staleIn(path)));
    if (isStale(name)) found.push(path);
  }
  return found;
}

async function subdirectories(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

/** What was just killed is still there for a moment. */
async function remove(path: string): Promise<string | undefined> {
  for (let tries = 0; ; tries += 1) {
    try {
      await rmdir(path);
      return undefined;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== "EBUSY" || tries >= TRIES) return errno;
    }
    await setTimeout(50);
    killAll([path]);
  }
}

const TRIES = 20;

/** Whether a directory is a cgroup of a process that is gone. */
function isStale(name: string): boolean {
  return name.startsWith(CGROUP_PREFIX) && fateOf(name.slice(CGROUP_PREFIX.length)) === "gone";
}
