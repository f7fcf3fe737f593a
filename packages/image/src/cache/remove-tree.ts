import { randomBytes } from "node:crypto";
import { chmodSync, lstatSync, readdirSync, renameSync, rmdirSync, unlinkSync } from "node:fs";

/**
 * Removes a file, or a directory with all that it holds, whatever their modes, names and depth. No symlink is followed.
 * What is not there is removed already.
 */
export function removeTree(path: string | Buffer): void {
  const top = Buffer.from(path);
  // What lay too deep lies in the top by then, and is the next round's.
  while (remove(top, top) === "some") continue;
}

/** In bytes, below the top. The kernel takes 4095 in all, and looks up every name of a path each time. */
const DEEPEST = 255;
const SLASH = Buffer.from("/");

/** Directories whose path would be too long for what is in them are moved into the top instead. */
function remove(path: Buffer, top: Buffer): "all" | "some" {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return "all";
  if (!stat.isDirectory()) {
    unlinkSync(path);
    return "all";
  }
  // What belongs to another uid of a sandbox cannot be changed, and may still be empty.
  if ((stat.mode & 0o700) !== 0o700) tolerate(() => chmodSync(path, 0o700));
  if (path.length > top.length + DEEPEST) {
    // No name that a program could have taken.
    renameSync(path, Buffer.concat([top, SLASH, Buffer.from(randomBytes(16).toString("hex"))]));
    return "some";
  }
  let left = false;
  for (const name of readdirSync(path, { encoding: "buffer" }))
    if (remove(Buffer.concat([path, SLASH, name]), top) === "some") left = true;
  if (left && path === top) return "some";
  rmdirSync(path);
  return left ? "some" : "all";
}

function tolerate(change: () => void): void {
  try {
    change();
  } catch {
    // The removal itself will say.
  }
}
