import { chmodSync, lchownSync, lstatSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import { pathIn } from "./names.js";
import type { Report } from "./report.js";

/**
 * Gives files to the owners that the archive names, which takes the capability to. tar(1) has given all of them to the
 * caller. In a user namespace some ids do not exist: such files stay the caller's, and the report gets a change.
 *
 * @param root - A real path.
 */
export function applyOwners(root: string, report: Report): void {
  const checked = new Map<string, boolean>();
  for (const [path, { uid, gid }] of report.owners) {
    // The root itself gets its owner at the end.
    if (path === "") continue;
    const parent = dirname(path);
    // The sanitizer has refused names below a symlink. If it had a bug, still no file outside of the root would be
    // given away.
    const isSafe = checked.get(parent) ?? hasNoSymlinks(parentIn(root, parent));
    checked.set(parent, isSafe);
    if (isSafe && !chown(pathIn(root, path), uid, gid)) report.addChange("owners", path);
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
  for (const path of impliedDirectories) chmodDirectory(root, path, 0o755);
}

/** Sets the mode of a directory, unless it is missing, something else, or below a symlink. */
export function chmodDirectory(root: string, path: string, mode: number): void {
  const directory = parentIn(root, path);
  if (hasNoSymlinks(directory) && lstatSync(directory).isDirectory()) chmodSync(directory, mode);
}

function parentIn(root: string, path: string): Buffer {
  return path === "." || path === "" ? Buffer.from(root) : pathIn(root, path);
}

function hasNoSymlinks(path: Buffer): boolean {
  try {
    return realpathSync.native(path, { encoding: "buffer" }).equals(path);
  } catch {
    return false;
  }
}

/**
 * Changes the owner of a file. It may be missing, because a later entry has replaced a directory above it.
 *
 * @returns false for an owner that does not exist here.
 */
export function chown(path: string | Buffer, uid: number, gid: number): boolean {
  try {
    lchownSync(path, uid, gid);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EINVAL" || code === "EPERM") return false;
    if (code !== "ENOENT") throw error;
  }
  return true;
}
