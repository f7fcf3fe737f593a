import { readdirSync } from "node:fs";
import { join } from "node:path";
import { checkKinds, fateOf, KINDS, ownedName, removeTree } from "@sandboxlib/core/internal";
import { type Cache, openExistingCache } from "./directories.js";
import { renameDirectory } from "./images.js";

/** What was done to the cache. */
export interface Collected {
  /** The paths of images, and of what dead runs had left. */
  readonly removed: readonly string[];
  /** The paths of images that a run uses. */
  readonly kept: readonly string[];
  /** The paths of images that no run uses, and that were to be kept. */
  readonly unused: readonly string[];
  /** What could not be removed, each with the reason. */
  readonly failed: readonly string[];
}

/** What {@link collectImages} does. */
export interface CollectOptions {
  /** Whether images that no run uses are kept. Default: no. */
  readonly keepImages?: boolean;
  /** Whether nothing is removed: `removed` then says what would be. Default: no. */
  readonly dryRun?: boolean;
}

/**
 * Removes every image that no run uses from the cache, and what dead runs have left there.
 *
 * @throws SandboxError `CONFIG_INVALID` for an option that there is not, `IMAGE_INVALID` when others than the caller can
 * change the cache.
 */
export function collectImages(options: CollectOptions = {}): Collected {
  checkKinds(options, { keepImages: KINDS.flag, dryRun: KINDS.flag });
  const { keepImages = false, dryRun = false } = options;
  const cache = openExistingCache();
  const done: Results = { removed: [], kept: [], unused: [], failed: [] };
  if (cache === undefined) return done;
  const remove = (path: string, removal: () => void): void => {
    if (dryRun) done.removed.push(path);
    else record(done, path, removal);
  };
  for (const name of readdirSync(cache.private)) {
    const path = join(cache.private, name);
    if (isDead(name)) remove(path, () => removeTree(path));
  }
  for (const name of readdirSync(cache.images)) {
    const path = join(cache.images, name);
    if (isUsed(cache, name)) done.kept.push(path);
    else if (keepImages) done.unused.push(path);
    else remove(path, () => removeImage(cache, name, done.kept));
  }
  if (!dryRun && readdirSync(cache.images).length === 0) forgetFiles(cache);
  return done;
}

interface Results {
  readonly removed: string[];
  readonly kept: string[];
  readonly unused: string[];
  readonly failed: string[];
}

/** Whether the process that made a private directory has ended. */
function isDead(name: string): boolean {
  return fateOf(name.split(".", 1)[0] ?? "") === "gone";
}

/** Whether a run uses an image. A run makes its private directory before it looks for the image, so none is missed. */
export function isUsed({ private: directory }: Cache, image: string): boolean {
  return readdirSync(directory).some((name) => name.endsWith(`.${image}`) && !isDead(name));
}

/**
 * Removes an image that no run uses. It is renamed out of the cache first. When a run has begun to use it just then, the
 * image is put back.
 *
 * @param kept - Gets the path of an image that is put back.
 */
export function removeImage(cache: Cache, name: string, kept: string[]): void {
  const path = join(cache.images, name);
  const removed = join(cache.private, `${ownedName()}.gc`);
  if (renameDirectory(path, removed) !== "renamed") return;
  if (!isUsed(cache, name)) {
    removeTree(removed);
    return;
  }
  kept.push(path);
  // If the image has been unpacked again meanwhile, this copy stays where it is, and a later `gc` removes it.
  renameDirectory(removed, path);
}

/** Once no image is left, no known file leads to one. */
function forgetFiles({ knownFiles }: Cache): void {
  for (const name of readdirSync(knownFiles)) removeTree(join(knownFiles, name));
}

/** Removes a path, and records how that went. */
function record(done: Results, path: string, remove: () => void): void {
  const kept = done.kept.length;
  try {
    remove();
    if (done.kept.length === kept) done.removed.push(path);
  } catch (error) {
    done.failed.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
