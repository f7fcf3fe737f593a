import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bootId } from "@sandboxlib/core";
import type { Content } from "../formats/format.js";
import type { FormatName } from "../image.js";
import { move } from "./move.js";
import type { Place } from "./place.js";

/** Another one whenever the same file would be unpacked otherwise. */
export const VERSION = 2;

/** What is known of an image in the cache, beside its root. */
export interface Record extends Content {
  readonly version: typeof VERSION;
  readonly key: string;
  readonly format: FormatName;
  /** When it was unpacked: the boot, and milliseconds since 1970. */
  readonly boot: string;
  readonly at: number;
}

/** So long after it was written the kernel has written a file back, and then some; in milliseconds. */
const WRITTEN_BACK = 120_000;

/**
 * An image of the cache; undefined when it is not there, or may be there in part only. A crash of the machine may lose
 * what was written lately, though the directory has its name already: what was unpacked shortly before the last one is
 * not used.
 */
export function recordOf({ images }: Place, key: string): Record | undefined {
  const directory = join(images, key);
  const record = read(join(directory, "record.json"));
  if (record === undefined) return undefined;
  const settled = join(directory, "settled");
  if (existsSync(settled)) return record;
  if (record.boot !== bootId()) return undefined;
  if (Date.now() - record.at > WRITTEN_BACK) writeFileSync(settled, "", { mode: 0o600 });
  return record;
}

/** The root of an image. */
export function rootOf({ images }: Place, key: string): string {
  return join(images, key, "root");
}

/**
 * Puts an image that is whole into the cache, at once or not at all.
 *
 * @param made - A directory with its `root`. It stays there when the image is in the cache already.
 */
export function store(place: Place, made: string, record: Record): void {
  writeFileSync(join(made, "record.json"), JSON.stringify(record), { mode: 0o600 });
  const directory = join(place.images, record.key);
  while (move(made, directory) === "taken") {
    if (recordOf(place, record.key) !== undefined) return;
    // One that cannot be trusted; nobody uses it, since nobody takes it for an image. `gc` may be first.
    move(directory, `${made}.${randomBytes(8).toString("hex")}`);
  }
}

function read(path: string): Record | undefined {
  try {
    const record = JSON.parse(readFileSync(path, "utf8")) as Record;
    return record.version === VERSION ? record : undefined;
  } catch {
    return undefined;
  }
}
