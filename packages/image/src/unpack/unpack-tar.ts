import { createHash, type Hash } from "node:crypto";
import type { Writable } from "node:stream";
import type { Rules } from "./checked-entry.js";
import { compressionOf, decompressed, drained } from "./compression.js";
import { startHelper } from "./helper.js";
import { applyModes, applyOwners } from "./ownership.js";
import type { Report } from "./report.js";
import { type Sanitizer, sanitizerFor } from "./sanitizer.js";
import { type Source, startOf } from "./source.js";
import type { Totals } from "./totals.js";

/** An archive that has been unpacked. */
export interface Unpacked {
  readonly report: Report;
  /** The digests that were asked for, in hex. */
  readonly digests: Readonly<Partial<Record<DigestName, string>>>;
}

/** A digest of the file as it is, or of the archive in it without its compression. */
export type DigestName = `${"file" | "archive"}:${"sha256" | "sha512"}`;

/** How an archive is unpacked. */
export interface UnpackOptions {
  readonly rules: Rules;
  readonly totals: Totals;
  /** The digests to compute. */
  readonly digests: readonly DigestName[];
  /** Called with the number of bytes that have been read so far, over all archives of the image. */
  readonly onRead?: ((bytes: number) => void) | undefined;
}

/**
 * Unpacks a tar archive into an empty directory. The archive is sanitized, and tar(1) unpacks the result in a sandbox that
 * can write to no other directory. If the caller is root, files get the owners that the archive names. Otherwise all files
 * belong to the caller.
 *
 * @throws SandboxError `IMAGE_INVALID`; the directory is then of no use.
 */
export async function unpackTar(
  source: Source,
  directory: string,
  options: UnpackOptions,
): Promise<Unpacked> {
  const { rules, totals } = options;
  const compression = compressionOf(await startOf(source, 6));
  const hashes = new Map(
    options.digests.map((name) => [name, createHash(name.split(":")[1] ?? "")]),
  );
  const tar = await startHelper(["tar", ...UNPACK, directory], {
    writable: directory,
    sanitized: true,
  });
  const { stdin } = tar.child;
  if (stdin === null) throw new TypeError("the helper has no pipes");
  tar.child.stdout?.resume();
  const chunks: Buffer[] = [];
  const sanitizer = sanitizerFor(rules, totals, (bytes) => void chunks.push(bytes));
  const { report } = sanitizer;
  if (tar.unconfined) report.addChange("unconfined", directory);
  try {
    const read = counted(source.read(), options, hashesOf(hashes, "file"));
    const archive = hashed(decompressed(read, compression), totals, hashesOf(hashes, "archive"));
    await sanitize(archive, sanitizer, chunks, stdin);
    await tar.done();
  } catch (error) {
    await tar.child[Symbol.asyncDispose]();
    throw error;
  }
  applyModes(directory, report);
  if (rules.privileged) applyOwners(directory, report);
  return {
    report,
    digests: Object.fromEntries([...hashes].map(([name, hash]) => [name, hash.digest("hex")])),
  };
}

/** Options of tar(1). The path of the directory follows. */
const UNPACK = [
  "-x",
  "-b",
  "128",
  "-p",
  "-P",
  "--numeric-owner",
  "--no-same-owner",
  "-f",
  "-",
  "-C",
];

function hashesOf(all: ReadonlyMap<DigestName, Hash>, of: "file" | "archive"): Hash[] {
  return [...all].filter(([name]) => name.startsWith(of)).map(([, hash]) => hash);
}

/** Counts and hashes the bytes of the file. */
async function* counted(
  source: AsyncIterable<Buffer>,
  { totals, onRead }: UnpackOptions,
  hashes: readonly Hash[],
): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of source) {
    for (const hash of hashes) hash.update(chunk);
    totals.addRead(chunk.length);
    onRead?.(totals.read);
    yield chunk;
  }
}

/** Counts and hashes the bytes of the archive in the file. */
async function* hashed(
  archive: AsyncIterable<Buffer>,
  totals: Totals,
  hashes: readonly Hash[],
): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of archive) {
    totals.addBytes(chunk.length);
    for (const hash of hashes) hash.update(chunk);
    yield chunk;
  }
}

/** Passes an archive through the sanitizer, which adds the result to `chunks`, and writes that to the input of tar(1). */
async function sanitize(
  archive: AsyncIterable<Buffer>,
  sanitizer: Sanitizer,
  chunks: Buffer[],
  stdin: Writable,
): Promise<void> {
  /** Writes all chunks at once, since each write to a stream takes more time than copying the bytes. */
  const flush = (): void => {
    if (chunks.length > 0) stdin.write(Buffer.concat(chunks.splice(0)));
  };
  for await (const chunk of archive) {
    sanitizer.write(chunk);
    flush();
    if (stdin.destroyed) break;
    if (stdin.writableNeedDrain) await drained(stdin);
  }
  if (!stdin.destroyed) sanitizer.end();
  flush();
  stdin.end();
}
