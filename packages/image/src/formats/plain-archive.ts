import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { compressionOf, decompressed } from "../unpack/compression.js";
import { type Source, startOf } from "../unpack/source.js";
import { type Totals, totalsOf } from "../unpack/totals.js";
import type { Job } from "./format.js";

/**
 * Makes an archive readable in any order: gives its own path, or that of a decompressed copy.
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
  // The copy is temporary, so it counts by itself: the limit also holds for what its layers unpack to.
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
