import { realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Attempt, orNote, orThrow } from "./attempt.js";
import { lock } from "./cache/lock.js";
import { cachePlace, type Place } from "./cache/place.js";
import { type Record, recordOf, rootOf } from "./cache/record.js";
import { type Key, keyOf, recall } from "./cache/seen.js";
import { loadFormat } from "./formats/load.js";
import type { Image, ImageOptions } from "./image.js";
import { invalidImage, shown } from "./invalid.js";

/**
 * Opens an image, which is unpacked into the cache unless it is there. A directory that is no OCI layout is a root as it is.
 *
 * @param path - A file, or a directory.
 * @throws SandboxError `IMAGE_INVALID`, and what keeps a sandbox from being made: images are unpacked in one.
 */
export async function openImage(path: string, options: ImageOptions = {}): Promise<Image> {
  return described(path, options, orThrow);
}

/**
 * As {@link openImage}, for a caller who only inspects the image: what would keep it from being run becomes a note.
 *
 * @throws SandboxError as {@link openImage}
 */
export async function inspectImage(path: string, options: ImageOptions = {}): Promise<Image> {
  const refused: string[] = [];
  const image = await described(path, options, orNote(refused));
  return { ...image, notes: [...image.notes, ...refused] };
}

async function described(path: string, options: ImageOptions, attempt: Attempt): Promise<Image> {
  const found = await unpackImage(path, options);
  if (found === undefined) return plainDirectory(realPath(path), options);
  const { record, root } = found;
  const format = await loadFormat(record.format);
  return {
    ...(await format.describe(record, root, options, attempt)),
    format: record.format,
    digest: record.digest,
    rootDirectory: root,
    manifest: record.manifest,
    key: record.key,
  };
}

/**
 * Unpacks an image into the cache unless it is there, whatever it asks for. Undefined for a directory that is no OCI layout.
 *
 * @throws SandboxError as {@link openImage}
 */
export async function unpackImage(
  path: string,
  options: ImageOptions,
): Promise<{ readonly record: Record; readonly root: string } | undefined> {
  const at = realPath(path);
  const directory = statSync(at).isDirectory();
  if (directory && !isLayout(at)) return undefined;
  const place = cachePlace();
  const key = keyOf(directory ? join(at, "index.json") : at, options);
  const record = known(place, key) ?? (await unpackOnce(at, place, key, options));
  assertMeant(record.digest, options.digest);
  return { record, root: rootOf(place, record.key) };
}

function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (cause) {
    throw invalidImage(`${shown(path)} does not exist, or cannot be reached`, undefined, cause);
  }
}

/** A directory is an OCI layout, or a root. */
function isLayout(path: string): boolean {
  return statSync(join(path, "oci-layout"), { throwIfNoEntry: false })?.isFile() === true;
}

function plainDirectory(path: string, { digest }: ImageOptions): Image {
  if (digest !== undefined)
    throw invalidImage(`${shown(path)} is a directory, which has no digest`);
  return {
    config: {},
    notes: [],
    format: "directory",
    digest: "",
    rootDirectory: path,
    manifest: undefined,
    key: "",
  };
}

function known(place: Place, key: Key): Record | undefined {
  const image = recall(place, key);
  return image === undefined ? undefined : recordOf(place, image);
}

/** Few files, which are never removed; two images that share one wait for each other. */
const SHARD = 2;

/** While another process unpacks the same image, this one waits, and then finds it in the cache. */
async function unpackOnce(
  path: string,
  place: Place,
  key: Key,
  options: ImageOptions,
): Promise<Record> {
  const held = await lock(place.locks, key.name.slice(0, SHARD), options);
  try {
    const found = known(place, key);
    if (found !== undefined) return found;
    const { unpackInto } = await import("./unpack-into.js");
    return await unpackInto(place, path, key, options);
  } finally {
    held.release();
  }
}

/** With fewer digits somebody could make another image with the same prefix. */
const SHORTEST = 32;

/** A digest may be shortened, as long as it is of the same kind. */
function assertMeant(found: string, meant: string | undefined): void {
  if (meant === undefined) return;
  const [, kind, hex = ""] = /^(sha256:|sha512-)([0-9a-f]+)$/.exec(meant) ?? [];
  if (kind === undefined || hex.length < SHORTEST)
    throw invalidImage(
      `${shown(meant)} is no digest of at least ${SHORTEST} digits, such as sha256:… or sha512-…`,
    );
  if (!found.startsWith(meant)) throw invalidImage(`the image is ${found}, and not ${meant}`);
}
