import { invalidImage, shown } from "../invalid.js";
import { compressionOf, decompressed } from "./compression.js";
import { entriesOf } from "./entries.js";
import { plainPath } from "./entry.js";
import { fileSource, startOf } from "./source.js";
import { totalsOf } from "./totals.js";

/**
 * Reads one file of an archive without unpacking the archive. What follows the file in it is not read.
 *
 * @throws SandboxError `IMAGE_INVALID` when it is not there, or holds more than `most` bytes.
 */
export async function capturedFile(path: string, name: string, most: number): Promise<Buffer> {
  const source = await fileSource(path);
  const parts: Buffer[] = [];
  const totals = totalsOf();
  let state: "before" | "in" | "after" = "before";
  const blocks = entriesOf({
    entry(header) {
      if (plainPath(header.path ?? "") !== name) return undefined;
      if ((header.size ?? 0) > most)
        throw invalidImage(`${shown(name)} holds ${header.size} bytes, and ${most} is the most`);
      state = "in";
      return (bytes) => void parts.push(Buffer.from(bytes));
    },
    entryEnd() {
      if (state === "in") state = "after";
    },
  });
  const done = (): boolean => state === "after";
  totals.madeOf(source.size);
  for await (const chunk of decompressed(source.read(), compressionOf(await startOf(source, 6)))) {
    totals.addBytes(chunk.length);
    if (blocks.write(chunk) || done()) break;
  }
  if (!done()) throw invalidImage(`the image has no ${name}`);
  return Buffer.concat(parts);
}
