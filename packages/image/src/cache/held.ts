import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ownedName } from "@sandboxlib/core";
import type { Place } from "./place.js";
import { removeTree } from "./remove-tree.js";

/** A directory in the cache that belongs to this process: `gc` takes it when the process is gone. */
export interface Held {
  readonly path: string;
  /** Never throws: it would hide what a run has come to. What cannot be removed is for `gc`, which says why. */
  readonly remove: () => void;
}

/**
 * Makes one.
 *
 * @param image - The image that it uses, which `gc` then leaves alone.
 */
export function hold(place: Place, image = ""): Held {
  const path = join(place.private, `${ownedName()}.${image}`);
  mkdirSync(path, { mode: 0o700 });
  return { path, remove: () => tryToRemove(path) };
}

function tryToRemove(path: string): void {
  try {
    removeTree(path);
  } catch {
    // It is named after this process, and nobody's when that is gone.
  }
}
