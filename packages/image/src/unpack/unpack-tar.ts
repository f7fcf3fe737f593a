import { createHash, type Hash } from "node:crypto";
import { invalidImage } from "../invalid.js";
import { compressionOf, decompressed, drained } from "./compression.js";
import { startHelper } from "./helper.js";
import { applyModes, applyOwners } from "./ownership.js";
import type { Report } from "./report.js";
import { sanitizerFor, type Terms } from "./sanitizer.js";
import { type Source, startOf } from "./source.js";
import type { Totals } from "./totals.js";

/** An archive that has been unpacked. */
export interface Unpacked {
  readonly report: Report;
  /** Those that were asked for, in hex. */
  readonly digests: Readonly<Partial<Record<DigestName, string>>>;
}

/** Of the file as it is, or of the archive that it holds, without its compression. */
export type DigestName = `${"file" | "archive"}:${"sha256" | "sha512"}`;

/** How an archive is unpacked. */
export interface UnpackOptions {
  readonly terms: Terms;
  readonly totals: Totals;
  readonly digests: readonly DigestName[];
  readonly onRead?: ((bytes: number) => void) | undefined;
}

/**
 * Unpacks a tar archive into an empty directory. The archive is sanitized here; tar(1) then unpacks the new one, in a
 * sandbox that can write nowhere else. For root, files get the owners that the archive names; else all are the caller's.
 *
 * @throws SandboxError `IMAGE_INVALID`; the directory is then of no use.
 */
export async function unpackTar(
  source: Source,
  directory: string,
  options: UnpackOptions,
): Promise<Unpacked> {
  const { terms } = options;
  const compression = compressionOf(await startOf(source, 6));
  const hashes = new Map(
    options.digests.map((name) => [name, createHash(name.split(":")[1] ?? "")]),
  );
  const tar = await startHelper(
    [
      "tar",
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
      directory,
    ],
    { writable: directory, sanitized: true },
  );
  const { stdin } = tar.child;
  if (stdin === null) throw new TypeError("the helper has no pipes");
  tar.child.stdout?.resume();
  let chunks: Buffer[] = [];
  const sanitizer = sanitizerFor(terms, options.totals, (bytes) => void chunks.push(bytes));
  const { report } = sanitizer;
  if (tar.bare) report.note("bare", directory);
  /** Writes them at once: each write to a stream costs more than copying the bytes. */
  const flush = (): void => {
    if (chunks.length > 0) stdin.write(Buffer.concat(chunks));
    chunks = [];
  };
  try {
    const read = counted(source.read(), options, hashesOf(hashes, "file"));
    const archive = hashesOf(hashes, "archive");
    for await (const chunk of decompressed(read, compression)) {
      options.totals.addBytes(chunk.length);
      for (const hash of archive) hash.update(chunk);
      sanitizer.write(chunk);
      flush();
      if (stdin.destroyed) break;
      if (stdin.writableNeedDrain) await drained(stdin);
    }
    if (!stdin.destroyed) sanitizer.end();
    flush();
    stdin.end();
    await tar.done();
  } catch (error) {
    await tar.child[Symbol.asyncDispose]();
    throw error;
  }
  applyModes(directory, report);
  if (terms.privileged) applyOwners(directory, report.owners);
  return {
    report,
    digests: Object.fromEntries([...hashes].map(([name, hash]) => [name, hash.digest("hex")])),
  };
}

function hashesOf(all: ReadonlyMap<DigestName, Hash>, of: "file" | "archive"): Hash[] {
  return [...all].filter(([name]) => name.startsWith(of)).map(([, hash]) => hash);
}

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

/** @throws SandboxError `IMAGE_INVALID` when a digest is not the one that was promised. */
export function assertDigest(what: string, expected: string, found: string | undefined): void {
  if (found === expected) return;
  throw invalidImage(
    `${what} has not the digest that it is said to have: ${found}, and not ${expected}`,
  );
}
