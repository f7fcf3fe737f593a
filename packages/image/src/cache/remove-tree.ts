import { randomBytes } from "node:crypto";
import { chmodSync, lstatSync, readdirSync, renameSync, rmdirSync, unlinkSync } from "node:fs";

/**
 * Removes a file, or a directory with everything in it, whatever the modes, names and depth are. No symlink is followed. A
 * path that is not there counts as removed.
 */
export function removeTree(path: string | Buffer): void {
  const top = Buffer.from(path);
  // A round moves what lies too deep into the top directory, and the next round removes it from there.
  while (removeBelow(top, top) === "some") continue;
}

/** The longest path below the top, in bytes. The kernel takes 4095 in all, and longer paths take longer to look up. */
const LONGEST = 255;
const SLASH = Buffer.from("/");

/** @returns `some` when directories with too long a path were moved into the top directory instead of being removed. */
function removeBelow(path: Buffer, top: Buffer): "all" | "some" {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return "all";
  if (!stat.isDirectory()) {
    unlinkSync(path);
    return "all";
  }
  if ((stat.mode & 0o700) !== 0o700) tryToOpen(path);
  if (path.length > top.length + LONGEST) {
    // A program cannot have guessed this name.
    renameSync(path, Buffer.concat([top, SLASH, Buffer.from(randomBytes(16).toString("hex"))]));
    return "some";
  }
  let isLeft = false;
  for (const name of readdirSync(path, { encoding: "buffer" }))
    if (removeBelow(Buffer.concat([path, SLASH, name]), top) === "some") isLeft = true;
  if (isLeft && path === top) return "some";
  rmdirSync(path);
  return isLeft ? "some" : "all";
}

/** A directory of another uid of a sandbox cannot be changed, but when it is empty it can be removed all the same. */
function tryToOpen(directory: Buffer): void {
  try {
    chmodSync(directory, 0o700);
  } catch {
    // Where this matters, the removal fails, too.
  }
}
