import { createHash } from "node:crypto";
import { type BigIntStats, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ownedName } from "@sandboxlib/core/internal";
import type { ImageOptions } from "../image.js";
import { type Power, powerHere } from "../unpack/power.js";
import type { Cache } from "./directories.js";

/** Identifies an image file and the options that choose an image in it, without reading the file. */
export interface FileKey {
  readonly name: string;
  /** As {@link identityOf}. */
  readonly identity: string;
  /** Whether the file was changed just now, so that one more change might leave its times as they are. */
  readonly fresh: boolean;
  readonly power: Power;
}

/** The kernel may give two changes the same time when they are this close, in milliseconds. */
const TICK = 20;

/**
 * Makes the key of an image file.
 *
 * @param path - The file. For a directory it is the file in it that names all others by their digests.
 */
export function keyOf(path: string, { platform, tag, images }: ImageOptions): FileKey {
  const stat = statSync(path, { bigint: true });
  const identity = identityIn(stat);
  const power = powerHere();
  const words = JSON.stringify([identity, platform, tag, images, power.scope]);
  const name = createHash("sha256").update(words).digest("hex");
  const changed = Number(stat.ctimeNs / 1_000_000n);
  return { name, identity, fresh: Date.now() - changed < TICK, power };
}

/**
 * Identifies a file and its content by device, inode, size and times. The identity changes when the file is written or
 * renamed.
 */
export function identityOf(path: string): string {
  return identityIn(statSync(path, { bigint: true }));
}

function identityIn({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(":");
}

interface KnownFile {
  readonly image: string;
  readonly parts: readonly { readonly path: string; readonly identity: string }[];
}

/** Finds which image a file is; undefined when it is not known, or when a file that the image builds on has changed. */
export function recall({ knownFiles }: Cache, { name }: FileKey): string | undefined {
  try {
    const { image, parts } = JSON.parse(readFileSync(join(knownFiles, name), "utf8")) as KnownFile;
    return parts.every((part) => identityOf(part.path) === part.identity) ? image : undefined;
  } catch {
    return undefined;
  }
}

/** Remembers which image a file is, and the other files that the image builds on, so that {@link recall} finds it. */
export function remember(
  { knownFiles }: Cache,
  { name, fresh }: FileKey,
  image: string,
  parts: KnownFile["parts"],
): void {
  if (fresh) return;
  const path = join(knownFiles, name);
  const entry: KnownFile = {
    image,
    parts: parts.map((part) => ({ path: part.path, identity: part.identity })),
  };
  const temporary = `${path}.${ownedName()}`;
  writeFileSync(temporary, JSON.stringify(entry), { mode: 0o600 });
  renameSync(temporary, path);
}
