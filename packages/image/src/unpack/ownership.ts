import { chmodSync, lchownSync, lstatSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Report } from "./report.js";

/**
 * Gives files to the owners that the archive names, which only root can do. tar(1) has given all of them to the caller.
 *
 * @param root - A real path.
 */
export function applyOwners(root: string, owners: Report["owners"]): void {
  const checked = new Map<string, boolean>();
  for (const [path, { uid, gid }] of owners) {
    const parent = dirname(join(root, path));
    // The sanitizer has refused names below a symlink. If it had a bug, still no file outside of the root would be
    // given away.
    const isSafe = checked.get(parent) ?? hasNoSymlinks(parent);
    checked.set(parent, isSafe);
    if (isSafe) chown(join(root, path), uid, gid);
  }
}

/**
 * Sets the mode of directories that have no entry of their own. tar(1) makes them for the files in them, with a mode that
 * depends on the caller's umask.
 */
export function applyModes(
  root: string,
  { impliedDirectories }: Pick<Report, "impliedDirectories">,
): void {
  for (const path of impliedDirectories) {
    const directory = join(root, path);
    if (hasNoSymlinks(directory) && lstatSync(directory).isDirectory()) chmodSync(directory, 0o755);
  }
}

function hasNoSymlinks(path: string): boolean {
  try {
    return realpathSync.native(path) === path;
  } catch {
    return false;
  }
}

/** Changes the owner of a file. It may be missing, because a later entry has replaced a directory above it. */
function chown(path: string, uid: number, gid: number): void {
  try {
    lchownSync(path, uid, gid);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}
