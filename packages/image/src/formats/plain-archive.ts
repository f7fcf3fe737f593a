import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { compressionOf, decompressed } from "../unpack/compression.js";
import { type Source, startOf } from "../unpack/source.js";
import { type Totals, totalsOf } from "../unpack/totals.js";
import type { Job } from "./format.js";

/**
 * An archive whose parts can be read in any order: the file itself, or what it holds when it is compressed.
 *
 * @throws SandboxError `IMAGE_INVALID`
 */
export async function plainArchive(
  source: Source,
  { path, scratch, options, totals }: Pick<Job, "path" | "scratch" | "options" | "totals">,
): Promise<string> {
  const compression = compressionOf(await startOf(source, 6));
  if (compression === "none") return path;
  const plain = join(scratch, "archive.tar");
  // It is held beside what its layers unpack to, and gone with the scratch: both have the whole limit.
  const own = totalsOf(options.maxSize, options.signal);
  const chunks = bounded(decompressed(counted(source.read(), own), compression), own);
  await pipeline(Readable.from(chunks), createWriteStream(plain, { mode: 0o600 }));
  totals.madeOf(source.size);
  return plain;
}

async function* counted(source: AsyncIterable<Buffer>, totals: Totals): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    totals.addRead(chunk.length);
    yield chunk;
  }
}

async function* bounded(plain: AsyncIterable<Buffer>, totals: Totals): AsyncGenerator<Buffer> {
  for await (const chunk of plain) {
    totals.addBytes(chunk.length);
    yield chunk;
  }
}
