import { chmodSync, lstatSync, readdirSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { randomHex } from "./lazily.js";

/**
 * Removes a file, or a directory with everything in it, whatever the modes, names and depth are. No symlink is followed. A
 * path that is not there counts as removed.
 */
export function removeTree(path: string | Buffer): void {
  for (const _ of removal(Buffer.from(path))) continue;
}

/** The same, for who has other things to do: it pauses every few milliseconds. */
export async function removeTreeSlowly(path: string): Promise<void> {
  let since = performance.now();
  for (const _ of removal(Buffer.from(path))) {
    if (performance.now() - since < SLICE) continue;
    await setImmediate();
    since = performance.now();
  }
}

/** In milliseconds. */
const SLICE = 3;

/** Yields after each file and directory. */
function* removal(top: Buffer): Generator<undefined, void> {
  // A round moves what lies too deep into the top directory, and the next round removes it from there.
  while ((yield* removeBelow(top, top)) === "some") continue;
}

/** The longest path below the top, in bytes. The kernel takes 4095 in all, and longer paths take longer to look up. */
const LONGEST = 255;
const SLASH = Buffer.from("/");

/** @returns `some` when directories with too long a path were moved into the top directory instead of being removed. */
function* removeBelow(path: Buffer, top: Buffer): Generator<undefined, "all" | "some"> {
  yield;
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return "all";
  if (!stat.isDirectory()) {
    unlinkSync(path);
    return "all";
  }
  if ((stat.mode & 0o700) !== 0o700) tryToOpen(path);
  if (path.length > top.length + LONGEST) {
    // A program cannot have guessed this name.
    renameSync(path, Buffer.concat([top, SLASH, Buffer.from(randomHex(16))]));
    return "some";
  }
  let isLeft = false;
  for (const name of readdirSync(path, { encoding: "buffer" }))
    if ((yield* removeBelow(Buffer.concat([path, SLASH, name]), top)) === "some") isLeft = true;
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
