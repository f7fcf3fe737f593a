import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { checkKind, KINDS } from "@sandboxlib/core/internal";
import { invalidImage, shown, withSystemError } from "../errors.js";
import type { FormatName } from "../image.js";
import { diskUsage } from "../unpack/watch-size.js";
import { isUsed, removeImage } from "./collect.js";
import { type Cache, openExistingCache } from "./directories.js";
import { recordOf } from "./images.js";

/** An image in the cache. */
export interface CachedImage {
  readonly digest: string;
  readonly format: FormatName;
  /** The file or directory from which it was unpacked. */
  readonly source: string;
  /** When it was unpacked. */
  readonly unpacked: Date;
  /** The bytes that it takes on disk. */
  readonly size: number;
  /** Whether a run uses it. */
  readonly isUsed: boolean;
  /** Its name in the cache. */
  readonly key: string;
}

/**
 * Lists the images in the cache, the newest first.
 *
 * @throws SandboxError `IMAGE_INVALID` when others than the caller can change the cache.
 */
export function listImages(): CachedImage[] {
  const cache = openExistingCache();
  if (cache === undefined) return [];
  return readdirSync(cache.images)
    .flatMap((key) => {
      const record = recordOf(cache, key);
      if (record === undefined) return [];
      const { digest, format, source, at } = record;
      const size = diskUsage(join(cache.images, key));
      return [
        { digest, format, source, unpacked: new Date(at), size, isUsed: isUsed(cache, key), key },
      ];
    })
    .sort((one, other) => Number(other.unpacked) - Number(one.unpacked));
}

/** The least digits of a digest that name an image. */
const SHORTEST = 8;

/**
 * Removes images from the cache.
 *
 * @param word - The path from which they were unpacked, or their digest, with or without its kind. It may be shortened to
 * eight digits.
 * @returns the digests of what was removed.
 * @throws SandboxError `IMAGE_INVALID` when there is no such image, or a run uses it, or several have such a digest;
 * `CONFIG_INVALID` for what is no text.
 */
export function removeImages(word: string): string[] {
  checkKind("word", word, KINDS.text);
  const cache = openExistingCache();
  const all = cache === undefined ? [] : readdirSync(cache.images);
  const found = all.flatMap((key) => {
    const record = cache && recordOf(cache, key);
    return record !== undefined && isMeant(record, word) ? [record] : [];
  });
  if (cache === undefined || found.length === 0)
    throw invalidImage(
      `${shown(word)} is no image in the cache`,
      "`sandboxlib image ls` lists them.",
    );
  const digests = [...new Set(found.map(({ digest }) => digest))];
  if (digests.length > 1 && !found.every(({ source }) => source === word))
    throw invalidImage(`${shown(word)} means ${digests.length} images`, "Give more of the digest.");
  for (const { key, digest } of found) remove(cache, key, digest);
  return digests;
}

function isMeant(
  {
    digest,
    source,
    key,
  }: { readonly digest: string; readonly source: string; readonly key: string },
  word: string,
): boolean {
  if (word === source || word === key) return true;
  const hex = digest.replace(/^sha(256:|512-)/, "");
  const digits = word.replace(/^sha(256:|512-)/, "");
  return (
    digits.length >= SHORTEST &&
    hex.startsWith(digits) &&
    (digits === word || digest.startsWith(word))
  );
}

function remove(cache: Cache, key: string, digest: string): void {
  const kept: string[] = [];
  try {
    if (isUsed(cache, key)) kept.push(key);
    else removeImage(cache, key, kept);
  } catch (error) {
    throw withSystemError(`${digest} cannot be removed`, error);
  }
  const isThere = lstatSync(join(cache.images, key), { throwIfNoEntry: false }) !== undefined;
  if (kept.length > 0 && isThere) throw invalidImage(`a run uses the image ${digest}`);
}
