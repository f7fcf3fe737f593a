import { createHash } from "node:crypto";
import { compressionOf, decompressed } from "./compression.js";
import { fileSource, type Source, startOf } from "./source.js";
import { totalsOf } from "./totals.js";

/** The SHA-256 of a file, in hex. */
export async function fileHash(source: Source): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of source.read()) hash.update(chunk);
  return hash.digest("hex");
}

/**
 * The SHA-512 of an archive without its compression, in hex.
 *
 * @throws SandboxError `IMAGE_INVALID` when it holds more than `maxSize` bytes.
 */
export async function archiveHash(path: string, maxSize?: number): Promise<string> {
  const source = await fileSource(path);
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
