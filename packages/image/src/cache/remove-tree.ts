import { chmodSync, lstatSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";

/**
 * Removes a file, or a directory with all that it holds, whatever their modes and names. No symlink is followed. What
 * is not there is removed already.
 */
export function removeTree(path: string | Buffer): void {
  const bytes = Buffer.from(path);
  const stat = lstatSync(bytes, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isDirectory()) {
    unlinkSync(bytes);
    return;
  }
  // What belongs to another uid of a sandbox cannot be changed, and may still be empty.
  if ((stat.mode & 0o700) !== 0o700) tolerate(() => chmodSync(bytes, 0o700));
  for (const name of readdirSync(bytes, { encoding: "buffer" }))
    removeTree(Buffer.concat([bytes, SLASH, name]));
  rmdirSync(bytes);
}

const SLASH = Buffer.from("/");

function tolerate(change: () => void): void {
  try {
    change();
  } catch {
    // The removal itself will say.
  }
}
