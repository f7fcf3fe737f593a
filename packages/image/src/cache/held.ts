import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ownerName, thisProcess } from "./owner.js";
import type { Place } from "./place.js";
import { removeTree } from "./remove-tree.js";

/** A directory in the cache that belongs to this process: `gc` takes it when the process is gone. */
export interface Held {
  readonly path: string;
  readonly remove: () => void;
}

let counter = 0;

/**
 * Makes one.
 *
 * @param image - The image that it uses, which `gc` then leaves alone.
 */
export function hold(place: Place, image = ""): Held {
  counter += 1;
  const path = join(place.private, [ownerName(thisProcess()), counter, image].join("."));
  mkdirSync(path, { mode: 0o700 });
  return { path, remove: () => removeTree(path) };
}
