import { createHash } from "node:crypto";
import { invalidImage, shown } from "../errors.js";
import { compressionOf, decompressed } from "./compression.js";
import { entriesOf } from "./entries.js";
import { plainPath } from "./entry.js";
import { fileSource, startOf } from "./source.js";
import { totalsOf } from "./totals.js";

/**
 * Reads one file of an archive without unpacking the archive. The archive is read up to the end of that file.
 *
 * @param most - The most bytes of the file.
 * @throws SandboxError `IMAGE_INVALID` when the file is not there or too large.
 */
export async function capturedFile(path: string, name: string, most: number): Promise<Buffer> {
  const source = await fileSource(path);
  const parts: Buffer[] = [];
  const totals = totalsOf();
  let state: "before" | "in" | "after" = "before";
  const blocks = entriesOf({
    entry(header) {
      if (plainPath(header.path) !== name) return undefined;
      if (header.size > most)
        throw invalidImage(`${shown(name)} holds ${header.size} bytes, and ${most} is the most`);
      state = "in";
      return (bytes) => void parts.push(Buffer.from(bytes));
    },
    entryEnd() {
      if (state === "in") state = "after";
    },
  });
  const done = (): boolean => state === "after";
  totals.addFileSize(source.size);
  for await (const chunk of decompressed(source.read(), compressionOf(await startOf(source, 6)))) {
    totals.addBytes(chunk.length);
    if (blocks.write(chunk) || done()) break;
  }
  if (!done()) throw invalidImage(`the image has no ${name}`);
  return Buffer.concat(parts);
}

/**
 * Computes the SHA-512 of an archive without its compression, in hex.
 *
 * @throws SandboxError `IMAGE_INVALID` when the archive holds more than `maxSize` bytes.
 */
export async function archiveHash(path: string, maxSize?: number): Promise<string> {
  const source = await fileSource(path);
  const hash = createHash("sha512");
  const compression = compressionOf(await startOf(source, 6));
  const totals = totalsOf(maxSize);
  totals.addFileSize(source.size);
  for await (const chunk of decompressed(source.read(), compression)) {
    totals.addBytes(chunk.length);
    hash.update(chunk);
  }
  return hash.digest("hex");
}
