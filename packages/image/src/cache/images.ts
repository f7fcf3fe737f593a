import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bootId } from "@sandboxlib/core/internal";
import type { Content } from "../formats/format.js";
import type { FormatName } from "../image.js";
import type { Cache } from "./directories.js";

/** The version of unpacked images. It grows whenever the same file would be unpacked in another way than before. */
export const VERSION = 4;

/** What is known of an image in the cache. It is kept in a file beside the root. */
export interface Record extends Content {
  readonly version: typeof VERSION;
  readonly key: string;
  readonly format: FormatName;
  /** The boot in which it was unpacked. */
  readonly boot: string;
  /** The bytes to which it unpacked. */
  readonly size: number;
  /** When it was unpacked, in milliseconds since 1970. */
  readonly at: number;
  /** The file or directory from which it was unpacked. */
  readonly source: string;
}

/** After this time the kernel has certainly written a file back to disk; in milliseconds. */
const WRITTEN_BACK = 120_000;

/**
 * Finds an image in the cache; undefined when it is not there, or may be incomplete. When the machine crashes, files that
 * were written shortly before may be lost, though their directory already has its final name. So an image that was
 * unpacked shortly before a crash is not used.
 */
export function recordOf({ images }: Cache, key: string): Record | undefined {
  const directory = join(images, key);
  const record = read(join(directory, "record.json"));
  if (record === undefined) return undefined;
  const marker = join(directory, "settled");
  if (existsSync(marker)) return record;
  if (record.boot !== bootId()) return undefined;
  if (Date.now() - record.at > WRITTEN_BACK) writeFileSync(marker, "", { mode: 0o600 });
  return record;
}

function read(path: string): Record | undefined {
  try {
    const record = JSON.parse(readFileSync(path, "utf8")) as Record;
    return record.version === VERSION ? record : undefined;
  } catch {
    return undefined;
  }
}

/** The path of an image's root. */
export function rootOf({ images }: Cache, key: string): string {
  return join(images, key, "root");
}

/**
 * Moves a complete image into the cache, in one step.
 *
 * @param unpacked - A directory with the image's `root`. It stays where it is when the cache already has the image.
 */
export function store(cache: Cache, unpacked: string, record: Record): void {
  writeFileSync(join(unpacked, "record.json"), JSON.stringify(record), { mode: 0o600 });
  const directory = join(cache.images, record.key);
  while (renameDirectory(unpacked, directory) === "taken") {
    if (recordOf(cache, record.key) !== undefined) return;
    // What is there may be incomplete, and so nobody uses it. It may be gone: `gc` removes such images, too.
    renameDirectory(directory, `${unpacked}.${randomBytes(8).toString("hex")}`);
  }
}

/**
 * Renames a directory, though other processes may do so at the same time.
 *
 * @returns `gone` when the directory is not there, `taken` when the new name belongs to a directory that is not empty.
 */
export function renameDirectory(from: string, to: string): "renamed" | "gone" | "taken" {
  try {
    renameSync(from, to);
    return "renamed";
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") return "gone";
    if (code === "ENOTEMPTY" || code === "EEXIST") return "taken";
    throw error;
  }
}
