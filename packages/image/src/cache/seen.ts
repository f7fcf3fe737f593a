import { createHash } from "node:crypto";
import { type BigIntStats, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ownedName } from "@sandboxlib/core";
import type { ImageOptions } from "../image.js";
import type { Place } from "./place.js";

/** What a file looks like from outside: when that is the same, so is what it holds. */
export interface Key {
  readonly name: string;
  readonly identity: string;
  /** Whether a change could go unnoticed, because the file has changed so lately. */
  readonly fresh: boolean;
}

/** The kernel's clock for files may stand still for so long, in milliseconds. */
const TICK = 20;

/** @param path - The file; of a directory the one that names all the others by digest. */
export function keyOf(path: string, { platform, tag, images }: ImageOptions): Key {
  const stat = statSync(path, { bigint: true });
  const identity = identityIn(stat);
  const words = JSON.stringify([identity, platform, tag, images]);
  const name = createHash("sha256").update(words).digest("hex");
  const changed = Number(stat.ctimeNs / 1_000_000n);
  return { name, identity, fresh: Date.now() - changed < TICK };
}

/** Another file, or one that was written or renamed, has another one. */
export function identityOf(path: string): string {
  return identityIn(statSync(path, { bigint: true }));
}

function identityIn({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(":");
}

interface Seen {
  readonly image: string;
  readonly parts: readonly { readonly path: string; readonly identity: string }[];
}

/** The image that a file was the last time; undefined when it is not known, or one that it builds on has changed. */
export function recall({ seen }: Place, { name }: Key): string | undefined {
  try {
    const { image, parts } = JSON.parse(readFileSync(join(seen, name), "utf8")) as Seen;
    return parts.every((part) => identityOf(part.path) === part.identity) ? image : undefined;
  } catch {
    return undefined;
  }
}

/** Remembers it for the next run. */
export function remember(
  { seen }: Place,
  { name, fresh }: Key,
  image: string,
  parts: Seen["parts"],
): void {
  if (fresh) return;
  const path = join(seen, name);
  const entry: Seen = {
    image,
    parts: parts.map((part) => ({ path: part.path, identity: part.identity })),
  };
  const made = `${path}.${ownedName()}`;
  writeFileSync(made, JSON.stringify(entry), { mode: 0o600 });
  renameSync(made, path);
}
