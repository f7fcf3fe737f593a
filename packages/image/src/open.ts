import { realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Cache, openCache } from "./cache/directories.js";
import { type Record, recordOf, rootOf } from "./cache/images.js";
import { type FileKey, keyOf, recall } from "./cache/known-files.js";
import { lock } from "./cache/lock.js";
import {
  invalidImage,
  orNote,
  orThrow,
  type RunStep,
  shown,
  withPath,
  withSystemError,
} from "./errors.js";
import { loadFormat } from "./formats/load.js";
import type { Image, ImageOptions } from "./image.js";
import { checkImageOptions } from "./image-options.js";
import { assertSize } from "./unpack/totals.js";

/**
 * Opens an image: it is unpacked into the cache unless it is there already. A directory that is no OCI layout is a root as
 * it is.
 *
 * @param path - A file, or a directory.
 * @throws SandboxError `IMAGE_INVALID`, `CONFIG_INVALID` for an option that there is not or that is wrong, and what
 * `createSandbox` throws, since images are unpacked in a sandbox.
 */
export async function openImage(path: string, options: ImageOptions = {}): Promise<Image> {
  return open(path, options, orThrow);
}

/**
 * Opens an image as {@link openImage} does, to inspect it: whatever would keep it from being run becomes a note.
 *
 * @throws SandboxError as {@link openImage}
 */
export async function inspectImage(path: string, options: ImageOptions = {}): Promise<Image> {
  const refusals: string[] = [];
  const image = await open(path, options, orNote(refusals));
  return { ...image, notes: [...image.notes, ...refusals] };
}

async function open(path: string, options: ImageOptions, runStep: RunStep): Promise<Image> {
  checkImageOptions(path, options);
  options.signal?.throwIfAborted();
  try {
    return await openUnpacked(path, options, runStep);
  } catch (error) {
    throw withSystemError(`${shown(path)} cannot be opened`, error);
  }
}

async function openUnpacked(path: string, options: ImageOptions, runStep: RunStep): Promise<Image> {
  const found = await unpack(path, options);
  if (found === undefined) return plainDirectory(realPath(path), options);
  const { record, root } = found;
  const format = await loadFormat(record.format);
  return {
    ...(await format.describe(record, root, options, runStep)),
    format: record.format,
    digest: record.digest,
    rootDirectory: root,
    manifest: record.manifest,
    key: record.key,
  };
}

/**
 * Unpacks an image into the cache unless it is there already. What the image asks for is not looked at.
 *
 * @returns undefined for a directory that is no OCI layout.
 * @throws SandboxError as {@link openImage}
 */
export async function unpackImage(
  path: string,
  options: ImageOptions,
): Promise<Unpacked | undefined> {
  checkImageOptions(path, options);
  options.signal?.throwIfAborted();
  try {
    return await unpack(path, options);
  } catch (error) {
    throw withSystemError(`${shown(path)} cannot be opened`, error);
  }
}

interface Unpacked {
  readonly record: Record;
  readonly root: string;
}

async function unpack(path: string, options: ImageOptions): Promise<Unpacked | undefined> {
  const real = realPath(path);
  const isDirectory = isDirectoryAt(real);
  if (isDirectory && !isLayout(real)) return undefined;
  const cache = openCache();
  const key = keyOf(isDirectory ? join(real, "index.json") : real, options);
  const known = cached(cache, key);
  if (known !== undefined) assertCachedSize(path, known, options);
  const record = known ?? (await unpackLocked(real, cache, key, options));
  assertDigest(record.digest, options.digest);
  return { record, root: rootOf(cache, record.key) };
}

/** What somebody else was allowed to unpack may be more than this caller wants. */
function assertCachedSize(path: string, { size }: Record, { maxSize }: ImageOptions): void {
  try {
    assertSize(size, maxSize);
  } catch (error) {
    throw withPath(path, error);
  }
}

function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw cause;
    throw invalidImage(`${shown(path)} does not exist`, undefined, cause);
  }
}

/** Whether a path is a directory. @throws SandboxError `IMAGE_INVALID` when it is no file either. */
function isDirectoryAt(path: string): boolean {
  const stat = statSync(path);
  if (stat.isDirectory()) return true;
  if (stat.isFile()) return false;
  const kind = stat.isFIFO() ? "a FIFO" : stat.isSocket() ? "a socket" : "a device";
  // Opening it might wait for a writer that never comes, or do something.
  throw invalidImage(`${shown(path)} is ${kind}, and an image is a file or a directory`);
}

/** Whether a directory is an OCI layout. If not, it is a root. */
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

function cached(cache: Cache, key: FileKey): Record | undefined {
  const image = recall(cache, key);
  return image === undefined ? undefined : recordOf(cache, image);
}

/**
 * Lock files are named after so many digits of the key. They are never removed, so there should be few. Two images with the
 * same digits wait for each other.
 */
const LOCK_DIGITS = 2;

/** Unpacks an image. When another process unpacks the same one, this one waits, and then finds it in the cache. */
async function unpackLocked(
  path: string,
  cache: Cache,
  key: FileKey,
  options: ImageOptions,
): Promise<Record> {
  const locked = await lock(cache.locks, key.name.slice(0, LOCK_DIGITS), options);
  try {
    const found = cached(cache, key);
    if (found !== undefined) {
      assertCachedSize(path, found, options);
      return found;
    }
    const { unpackIntoCache } = await import("./unpack-into-cache.js");
    return await unpackIntoCache(cache, path, key, options);
  } finally {
    locked.release();
  }
}

/** Somebody could make another image with the same prefix if it were shorter. */
const SHORTEST_PREFIX = 32;

/** Checks the digest that the caller asks for, which may be a prefix. */
function assertDigest(found: string, wanted: string | undefined): void {
  if (wanted === undefined) return;
  const [, kind, hex = ""] = /^(sha256:|sha512-)([0-9a-f]+)$/.exec(wanted) ?? [];
  if (kind === undefined || hex.length < SHORTEST_PREFIX)
    throw invalidImage(
      `${shown(wanted)} is no digest of at least ${SHORTEST_PREFIX} digits, such as sha256:… or sha512-…`,
    );
  if (!found.startsWith(wanted)) throw invalidImage(`the image is ${found}, and not ${wanted}`);
}
