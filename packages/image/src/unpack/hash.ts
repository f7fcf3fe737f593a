import { createHash } from "node:crypto";
import { compressionOf, decompressed } from "./compression.js";
import { type Source, startOf } from "./source.js";
import { totalsOf } from "./totals.js";

/** The SHA-256 of a file, in hex. */
export async function fileHash(source: Source): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of source.read()) hash.update(chunk);
  return hash.digest("hex");
}

/**
 * The SHA-512 of what a file holds without its compression, in hex: the ID of an App Container image.
 *
 * @throws SandboxError `IMAGE_INVALID` when that is too much.
 */
export async function archiveHash(source: Source, maxSize?: number): Promise<string> {
  const hash = createHash("sha512");
  const compression = compressionOf(await startOf(source, 6));
  const totals = totalsOf(maxSize);
  totals.madeOf(source.size);
  for await (const chunk of decompressed(source.read(), compression)) {
    totals.addBytes(chunk.length);
    hash.update(chunk);
  }
  return hash.digest("hex");
}
