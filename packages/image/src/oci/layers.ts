import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { removeTree } from "@sandboxlib/core/internal";
import { invalidImage } from "../errors.js";
import type { Job } from "../formats/format.js";
import type { Rules } from "../unpack/checked-entry.js";
import { mergeLayer } from "../unpack/merge.js";
import { notesOf, type Report } from "../unpack/report.js";
import type { Source } from "../unpack/source.js";
import { type DigestName, unpackTar } from "../unpack/unpack-tar.js";

/** A layer, and the digests that it must have. */
export interface Layer {
  readonly source: Source;
  /** The digest of the file as it is. */
  readonly digest?: string | undefined;
  /** The digest of the archive without its compression. */
  readonly diffId?: string | undefined;
}

/**
 * Unpacks layers into the root one over the other, the lowest first.
 *
 * @returns notes for users.
 * @throws SandboxError `IMAGE_INVALID`
 */
export async function unpackLayers(layers: readonly Layer[], job: Job): Promise<string[]> {
  job.total(layers.reduce((sum, { source }) => sum + source.size, 0));
  const reports: Report[] = [];
  const leftOut = new Set<string>();
  for (const [index, layer] of layers.entries()) {
    const directory = index === 0 ? job.root : join(job.scratch, "layer");
    if (index > 0) mkdirSync(directory, { mode: 0o755 });
    const rules = {
      whiteouts: true,
      privileged: job.privileged,
      hasLower: index > 0,
      leftOut,
    };
    const report = await unpackLayer(layer, directory, job, rules);
    if (index > 0) mergeLayer(job.root, directory, report);
    job.finish.add(report);
    removeTree(join(job.scratch, "layer"));
    reports.push(report);
  }
  return notesOf(reports, job.privileged);
}

async function unpackLayer(
  layer: Layer,
  directory: string,
  job: Job,
  rules: Rules,
): Promise<Report> {
  const [file, archive] = [digestName("file", layer.digest), digestName("archive", layer.diffId)];
  const { report, digests } = await unpackTar(layer.source, directory, {
    rules,
    totals: job.totals,
    digests: [file, archive].filter((name) => name !== undefined),
    onRead: job.onRead,
  });
  if (file !== undefined) assertDigest("a layer", hexOf(layer.digest), digests[file]);
  if (archive !== undefined)
    assertDigest("the archive of a layer", hexOf(layer.diffId), digests[archive]);
  return report;
}

function digestName(of: "file" | "archive", digest: string | undefined): DigestName | undefined {
  if (digest === undefined) return undefined;
  return `${of}:${digest.startsWith("sha512:") ? "sha512" : "sha256"}`;
}

function hexOf(digest: string | undefined): string {
  return digest?.split(":")[1] ?? "";
}

function assertDigest(what: string, expected: string, found: string | undefined): void {
  if (found === expected) return;
  throw invalidImage(
    `${what} has not the digest that it is said to have: ${found}, and not ${expected}`,
  );
}
