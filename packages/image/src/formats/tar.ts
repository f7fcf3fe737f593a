import { randomUUID } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { removeTree } from "@sandboxlib/core/internal";
import { invalidImage } from "../errors.js";
import { mergeLayer } from "../unpack/merge.js";
import { nameOf, pathIn } from "../unpack/names.js";
import { notesOf, type Report } from "../unpack/report.js";
import { fileSource } from "../unpack/source.js";
import { unpackTar } from "../unpack/unpack-tar.js";
import type { Format, Job } from "./format.js";

/** Unpacks a tar archive of a root. */
export const unpackTarball: Format["unpack"] = async ({
  source,
  root,
  totals,
  privileged,
  finish,
  total,
  onRead,
}) => {
  if (source === undefined) throw new TypeError("a tar archive is a file");
  total(source.size);
  const { report, digests } = await unpackTar(source, root, {
    rules: { privileged },
    totals,
    digests: ["file:sha256"],
    onRead,
  });
  finish.add(report);
  return {
    digest: `sha256:${digests["file:sha256"]}`,
    manifest: undefined,
    notes: notesOf([report], privileged),
  };
};

/** An archive that is unpacked into a directory of its own. */
export interface UnpackedArchive {
  /** Of the archive without its compression, in hex. */
  readonly sha512: string;
  /** The content of the file that was to be kept in memory. */
  readonly captured: Buffer;
  readonly report: Report;
  /**
   * Moves the files into the root, where they replace those of the same name.
   *
   * @param only - Absolute paths. All other paths, except for the directories above these, are left out. Default: none is
   * left out.
   */
  merge(only?: readonly string[]): void;
}

/**
 * Unpacks one directory of a tar archive, so that its files can be moved into the root.
 *
 * @param from - The directory `below`, and the file `captured`, which is kept in memory and may have at most `most` bytes.
 * Anything else in the archive is refused.
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
    rules: { ...from, privileged: job.privileged },
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
      if (only !== undefined) removeOthers(directory, only.map(nameOf));
      mergeLayer(job.root, directory, report);
      job.finish.add(report);
      removeTree(directory);
    },
  };
}

/** Removes everything from a tree except for some paths and the directories above them. */
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
  for (const name of readdirSync(pathIn(root, directory), { encoding: "latin1" })) {
    const path = `${directory}/${name}`;
    const real = pathIn(root, path);
    if (!kept.has(path)) removeTree(real);
    else if (lstatSync(real).isDirectory()) prune(root, path, kept);
  }
}
