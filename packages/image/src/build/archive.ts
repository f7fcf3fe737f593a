import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { invalidImage, shown } from "../invalid.js";
import { encodeEntry } from "../unpack/entry.js";
import { sourceOf } from "../unpack/source.js";
import type { Written } from "./tree.js";

/** The digests of an archive that was written. */
export interface Archive {
  /** Hex, of the archive without its compression. */
  readonly sha256: string;
  readonly sha512: string;
}

/** Writes a tar archive. */
export async function writeArchive(
  entries: readonly Written[],
  file: string,
  { gzip }: { readonly gzip: boolean },
): Promise<Archive> {
  const hashes = [createHash("sha256"), createHash("sha512")] as const;
  async function* hashed(): AsyncGenerator<Buffer, void, undefined> {
    for await (const bytes of bytesOf(entries)) {
      for (const hash of hashes) hash.update(bytes);
      yield bytes;
    }
  }
  const to = createWriteStream(file);
  const from = Readable.from(hashed());
  await (gzip ? pipeline(from, createGzip(), to) : pipeline(from, to));
  const [sha256, sha512] = hashes.map((hash) => hash.digest("hex")) as [string, string];
  return { sha256, sha512 };
}

const BLOCK = 512;

async function* bytesOf(entries: readonly Written[]): AsyncGenerator<Buffer, void, undefined> {
  for (const { entry, from } of entries) {
    yield* encodeEntry(entry);
    if (from === undefined || entry.size === 0) continue;
    let left = entry.size;
    for await (const chunk of sourceOf(from, 0, entry.size).read()) {
      left -= chunk.length;
      yield chunk;
    }
    if (left !== 0) throw invalidImage(`${shown(from)} was changed while it was read`);
    yield Buffer.alloc((BLOCK - (entry.size % BLOCK)) % BLOCK);
  }
  yield Buffer.alloc(2 * BLOCK);
}
