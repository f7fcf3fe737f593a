import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fateOf, ownedName } from "@sandboxlib/core";
import { move } from "./move.js";
import { existingPlace, type Place } from "./place.js";
import { removeTree } from "./remove-tree.js";

/** What was done to the cache. */
export interface Collected {
  /** Images, and what dead runs had left, as paths. */
  readonly removed: readonly string[];
  /** Images that a run uses. */
  readonly kept: readonly string[];
  /** What could not be removed, each with the reason. */
  readonly failed: readonly string[];
}

/**
 * Empties the cache but for what runs are using.
 *
 * @throws SandboxError `IMAGE_INVALID` when the cache is not the caller's alone.
 */
export function collectImages(): Collected {
  const place = existingPlace();
  const done = { removed: [] as string[], kept: [] as string[], failed: [] as string[] };
  if (place === undefined) return done;
  for (const name of readdirSync(place.private)) {
    if (isDead(name)) attempt(done, join(place.private, name), removeTree);
  }
  for (const name of readdirSync(place.images)) {
    const path = join(place.images, name);
    if (isUsed(place, name)) done.kept.push(path);
    else attempt(done, path, () => removeImage(place, name, done.kept));
  }
  if (done.kept.length === 0 && done.failed.length === 0) forget(place);
  return done;
}

function isDead(name: string): boolean {
  return fateOf(name.split(".", 1)[0] ?? "") === "gone";
}

/** A run makes its directory before it looks for the image. */
function isUsed({ private: directory }: Place, image: string): boolean {
  return readdirSync(directory).some((name) => name.endsWith(`.${image}`) && !isDead(name));
}

/** It is moved away at once; whoever began to use it just then gets it back. */
function removeImage(place: Place, name: string, kept: string[]): void {
  const path = join(place.images, name);
  const away = join(place.private, `${ownedName()}.gc`);
  if (move(path, away) !== "moved") return;
  if (!isUsed(place, name)) {
    removeTree(away);
    return;
  }
  kept.push(path);
  // Unless it has been unpacked again meanwhile: then both are of use, and a later `gc` takes this one.
  move(away, path);
}

/** Nothing that it says is there any more. */
function forget({ seen }: Place): void {
  for (const name of readdirSync(seen)) removeTree(join(seen, name));
}

function attempt(
  done: { readonly removed: string[]; readonly kept: string[]; readonly failed: string[] },
  path: string,
  remove: (path: string) => void,
): void {
  const kept = done.kept.length;
  try {
    remove(path);
    if (done.kept.length === kept) done.removed.push(path);
  } catch (error) {
    done.failed.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
