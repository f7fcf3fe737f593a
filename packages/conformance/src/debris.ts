import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { execaSync } from "execa";
import { cgroups } from "./host/cgroups.js";
import { changes, type Listing, list } from "./host/listing.js";
import { mountsIn } from "./host/mounts.js";
import { endProcessesWith, isMarkerOfAnother, lasting } from "./host/processes.js";
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

/** Removes the directory of a case, and what a faulty backend has left. */
export function clearAway(directory: string, marker: string): void {
  endProcessesWith(marker);
  for (const path of mountsIn(directory).reverse())
    execaSync("/bin/umount", ["-l", path], { reject: false });
  // Never through a mount, behind which the host's own files are.
  if (mountsIn(directory).length > 0) return;
  // The kernel keeps a directory for an overlay that nobody may look into.
  if (process.getuid?.() !== 0)
    execaSync("/bin/chmod", ["-R", "u+rwX", directory], { reject: false });
  rmSync(directory, { recursive: true, force: true });
}

const WATCHED = ["/dev/shm", "/var/run/sandboxlib"];

/** What lies in directories of the host that backends may use; those of other users and other kits are not looked at. */
export function hostDebris(temporary: string): string[] {
  const files = [...WATCHED, temporary].flatMap((directory) =>
    names(directory)
      .filter((name) => directory !== "/var/run/sandboxlib" || name.startsWith(`${process.pid}-`))
      .filter((name) => !isMarkerOfAnother(name))
      .map((name) => `${directory}/${name}`),
  );
  return [...files, ...cgroups()];
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // Not there, or not ours.
  }
}
