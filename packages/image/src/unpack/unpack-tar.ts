import { createHash, type Hash } from "node:crypto";
import { invalidImage } from "../invalid.js";
import { compressionOf, decompressed, drained } from "./compression.js";
import type { Findings } from "./findings.js";
import { startHelper } from "./helper.js";
import { judgeOf, type Terms } from "./judge.js";
import { settleModes } from "./settle.js";
import { type Source, startOf } from "./source.js";
import type { Totals } from "./totals.js";

/** What is known of an archive once it is unpacked. */
export interface Unpacked {
  readonly findings: Findings;
  /** In hex, as far as they were asked for. */
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
 * Unpacks a tar archive into an empty directory: judged and written anew here, unpacked by tar(1) in a sandbox that can
 * write nowhere else. Files belong to the caller afterwards; `settleOwners` gives them to whom the archive says.
 *
 * @throws SandboxError `IMAGE_INVALID`; the directory is then of no use.
 */
export async function unpackTar(
  source: Source,
  directory: string,
  options: UnpackOptions,
): Promise<Unpacked> {
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
    { writable: directory, judged: true },
  );
  const { stdin } = tar.child;
  if (stdin === null) throw new TypeError("the helper has no pipes");
  tar.child.stdout?.resume();
  let pieces: Buffer[] = [];
  const judge = judgeOf(options.terms, options.totals, (bytes) => void pieces.push(bytes));
  if (tar.bare) judge.findings.note("bare", directory);
  /** In one write: a stream makes more of each than copying it costs. */
  const flush = (): void => {
    if (pieces.length > 0) stdin.write(Buffer.concat(pieces));
    pieces = [];
  };
  try {
    const read = counted(source.read(), options, hashesOf(hashes, "file"));
    const archive = hashesOf(hashes, "archive");
    for await (const chunk of decompressed(read, compression)) {
      options.totals.addBytes(chunk.length);
      for (const hash of archive) hash.update(chunk);
      judge.write(chunk);
      flush();
      if (stdin.destroyed) break;
      if (stdin.writableNeedDrain) await drained(stdin);
    }
    if (!stdin.destroyed) judge.end();
    flush();
    stdin.end();
    await tar.done();
  } catch (error) {
    await tar.child[Symbol.asyncDispose]();
    throw error;
  }
  settleModes(directory, judge.findings);
  return {
    findings: judge.findings,
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
