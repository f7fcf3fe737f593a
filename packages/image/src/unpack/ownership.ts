import { chmodSync, lchownSync, lstatSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Report } from "./report.js";

/**
 * Gives files to the owners that the archive names. Only root can do that; tar(1) has given all of them to the caller.
 *
 * @param root - A real path.
 */
export function applyOwners(root: string, owners: Report["owners"]): void {
  const plain = new Map<string, boolean>();
  for (const [path, { uid, gid }] of owners) {
    const parent = dirname(join(root, path));
    // The sanitizer has refused names below a symlink. Should it ever fail, no file outside of the root is given away.
    const known = plain.get(parent) ?? isPlain(parent);
    plain.set(parent, known);
    if (known) chown(join(root, path), uid, gid);
  }
}

/**
 * Sets the mode of directories that have no entry of their own: tar(1) makes them for what lies in them, with a mode that
 * depends on the caller's umask.
 */
export function applyModes(root: string, { above }: Pick<Report, "above">): void {
  for (const path of above) {
    const at = join(root, path);
    if (isPlain(at) && lstatSync(at).isDirectory()) chmodSync(at, 0o755);
  }
}

function isPlain(path: string): boolean {
  try {
    return realpathSync.native(path) === path;
  } catch {
    return false;
  }
}

/** A path that another entry has replaced may be missing. */
function chown(path: string, uid: number, gid: number): void {
  try {
    lchownSync(path, uid, gid);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}
