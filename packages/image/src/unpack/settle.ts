import { chmodSync, lchownSync, lstatSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Findings } from "./findings.js";

/**
 * Gives files to whom the archive says. Only root can; tar(1) has given all of them to the caller.
 *
 * @param root - A real path.
 */
export function settleOwners(root: string, owners: Findings["owners"]): void {
  const plain = new Map<string, boolean>();
  for (const [path, { uid, gid }] of owners) {
    const parent = dirname(join(root, path));
    // The judge has seen to it. Should it ever have been wrong, nothing outside changes hands.
    const known = plain.get(parent) ?? isPlain(parent);
    plain.set(parent, known);
    if (known) chown(join(root, path), uid, gid);
  }
}

/** Directories that tar(1) has made because something lies in them have whatever mode the caller's umask has left. */
export function settleModes(root: string, { above }: Pick<Findings, "above">): void {
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

/** What another entry has taken the place of is not there. */
function chown(path: string, uid: number, gid: number): void {
  try {
    lchownSync(path, uid, gid);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}
