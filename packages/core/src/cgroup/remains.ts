import { readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "./file.js";
import { hierarchies } from "./hierarchy.js";
import { killAll } from "./kill.js";
import { isAbandoned } from "./name.js";

/** What became of cgroups that dead processes have left. */
export interface CollectedGroups {
  readonly removed: readonly string[];
  /** Each with the reason. */
  readonly failed: readonly string[];
}

/**
 * Kills what is left in the cgroups of dead processes, and removes them. They are looked for wherever cgroups are, as
 * nobody knows where a process that is gone has made them; those of others that this user cannot remove are left alone.
 */
export function collectGroups(): CollectedGroups {
  const removed: string[] = [];
  const failed: string[] = [];
  for (const mount of new Set(hierarchies().map((hierarchy) => hierarchy.mount)))
    for (const path of abandonedIn(mount)) {
      killAll([path]);
      const errno = remove(path);
      if (errno === undefined) removed.push(path);
      else if (errno !== "ENOENT" && errno !== "EACCES" && errno !== "EPERM" && errno !== "EROFS")
        failed.push(`rmdir ${path}: ${errno}`);
    }
  return { removed, failed };
}

function abandonedIn(directory: string): string[] {
  return subdirectories(directory).flatMap((name) => {
    const path = join(directory, name);
    return [...abandonedIn(path), ...(isAbandoned(name) ? [path] : [])];
  });
}

function subdirectories(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

/** What was just killed is still there for a moment. */
function remove(path: string): string | undefined {
  for (let tries = 0; ; tries += 1) {
    try {
      rmdirSync(path);
      return undefined;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== "EBUSY" || tries >= TRIES) return errno;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    killAll([path]);
  }
}

const TRIES = 20;
