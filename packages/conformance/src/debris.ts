import assert from "node:assert/strict";
import { lstatSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { execaSync } from "execa";
import { cgroups } from "./host/cgroups.js";
import { changes, type Listing, list } from "./host/listing.js";
import { mountsIn } from "./host/mounts.js";
import { isMarkerOfAnother, lasting } from "./host/processes.js";
import { endSurvivors, lastingSurvivors } from "./host/survivors.js";
import type { Kit } from "./kit.js";

/** Asserts that after a case the host is as it was, but for what the program wrote where it was allowed to. */
export async function assertNoDebris(
  { kit, root, marker }: { readonly kit: Kit; readonly root: string; readonly marker: string },
  before: Listing | undefined,
  allowed: readonly string[],
): Promise<void> {
  assert.deepEqual(mountsIn(dirname(root)), [], "a mount was left on the host");
  if (before !== undefined)
    assert.deepEqual(changes(before, list(root), allowed), [], "the root has changed");
  if (kit.has.has("tree.kill"))
    assert.deepEqual(await lasting(marker), [], "a process was left on the host");
}

/** Removes the directory of a case, and the mounts that a faulty backend has left in it. */
export async function clearAway(directory: string): Promise<void> {
  for (const path of mountsIn(directory).reverse())
    execaSync("/bin/umount", ["-l", path], { reject: false });
  // Never through a mount, behind which the host's own files are.
  if (mountsIn(directory).length > 0) return;
  // The kernel keeps a directory for an overlay that nobody may look into.
  if (process.getuid?.() !== 0)
    execaSync("/bin/chmod", ["-R", "u+rwX", directory], { reject: false });
  // The kernel waits before it removes what has been a mount point, and other cases need not.
  await rm(directory, { recursive: true, force: true });
}

const JOURNALS = "/var/run/sandboxlib";
const SHARED = "/dev/shm";

/**
 * What lies in directories of the host that backends may use. In those that are shared, only what is this user's and bears
 * the name of the library counts, and nothing of another kit.
 */
export function hostDebris(temporary: string): string[] {
  const isOurs = (path: string): boolean => {
    try {
      return lstatSync(path).uid === process.getuid?.() && basename(path).startsWith("sandboxlib");
    } catch {
      return false;
    }
  };
  const found = [
    ...names(JOURNALS).filter((path) => basename(path).startsWith(`${process.pid}-`)),
    ...names(SHARED).filter(isOurs),
    ...names(temporary),
  ];
  return [...found.filter((path) => !isMarkerOfAnother(basename(path))), ...cgroups()];
}

/** What programs and tools have left running, which is ended. Without `tree.kill` a backend may leave programs. */
export async function processDebris({ has }: Kit): Promise<string[]> {
  const left = has.has("tree.kill") ? await lastingSurvivors(5000) : [];
  endSurvivors();
  return left.map(({ pid, command }) => `process ${pid}: ${command}`);
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => join(directory, name));
  } catch {
    return []; // Not there, or not ours.
  }
}
