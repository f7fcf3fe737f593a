import { randomUUID } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { removeTree } from "../cache/remove-tree.js";
import { invalidImage } from "../invalid.js";
import { mergeLayer } from "../unpack/merge.js";
import type { Report } from "../unpack/report.js";
import { fileSource } from "../unpack/source.js";
import { unpackTar } from "../unpack/unpack-tar.js";
import type { Job } from "./format.js";

/** An archive that is unpacked beside the root. */
export interface UnpackedArchive {
  /** Of the archive without its compression, in hex. */
  readonly sha512: string;
  /** The file that was to be kept in memory. */
  readonly captured: Buffer;
  readonly report: Report;
  /**
   * Puts its files over those of the root.
   *
   * @param only - Absolute paths: all others, but for the directories above them, are left out. Default: all are taken.
   */
  merge(only?: readonly string[]): void;
}

/**
 * Unpacks a tar archive, of which one directory is to be a part of the root.
 *
 * @param from - The directory, and a file beside it that is kept in memory, with its largest size in bytes. Anything
 * else in the archive is refused.
 * @throws SandboxError `IMAGE_INVALID`
 */
export async function unpackArchive(
  job: Job,
  path: string,
  from: {
    readonly below: string;
    readonly captured: { readonly name: string; readonly most: number };
  },
): Promise<UnpackedArchive> {
  const directory = join(job.scratch, randomUUID());
  mkdirSync(directory, { mode: 0o755 });
  const { report, digests } = await unpackTar(await fileSource(path), directory, {
    terms: { ...from, privileged: job.privileged },
    totals: job.totals,
    digests: ["archive:sha512"],
    onRead: job.onRead,
  });
  const { captured } = report;
  if (captured === undefined) throw invalidImage(`the image has no ${from.captured.name}`);
  return {
    sha512: digests["archive:sha512"] ?? "",
    captured,
    report,
    merge(only) {
      if (only !== undefined) removeOthers(directory, only);
      mergeLayer(job.root, directory, report);
      removeTree(directory);
    },
  };
}

/** Removes everything from a tree but the given paths and the directories above them. */
function removeOthers(root: string, paths: readonly string[]): void {
  const kept = new Set<string>();
  for (const path of paths) {
    let above = "";
    for (const name of path.split("/").filter((part) => part !== "" && part !== ".")) {
      above = `${above}/${name}`;
      kept.add(above);
    }
  }
  prune(root, "", kept);
}

function prune(root: string, directory: string, kept: ReadonlySet<string>): void {
  for (const name of readdirSync(join(root, directory))) {
    const path = `${directory}/${name}`;
    const at = join(root, path);
    if (!kept.has(path)) removeTree(at);
    else if (lstatSync(at).isDirectory()) prune(root, path, kept);
  }
}
