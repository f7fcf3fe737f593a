import { readdirSync } from "node:fs";
import { removeTree } from "@sandboxlib/core/internal";
import type { Rules } from "../unpack/checked-entry.js";
import { entriesOf } from "../unpack/entries.js";
import { within } from "../unpack/names.js";
import { notesOf } from "../unpack/report.js";
import { fileHash, programSource, type Source } from "../unpack/source.js";
import type { SparseMap } from "../unpack/sparse.js";
import { totalsOf } from "../unpack/totals.js";
import { unpackTar } from "../unpack/unpack-tar.js";
import { type ZeroFinder, zeroFinder } from "../unpack/zeros.js";
import type { Content, Format, Job } from "./format.js";

/** Unpacks a squashfs file: sqfs2tar(1) turns it into a tar archive, which is sanitized like any other. */
export const unpackSquashfs: Format["unpack"] = async (job) => {
  const { path, source, total, totals } = job;
  if (source === undefined) throw new TypeError("a squashfs is a file");
  total(source.size);
  totals.addFileSize(source.size);
  const digest = await fileHash(source);
  const tar = programSource(["sqfs2tar", "--no-xattr", "--", path], path, source.size);
  return unpackFrom(tar, digest, job);
};

/**
 * Unpacks a tar archive that a program makes of the file system, and can make again.
 *
 * @param digest - The SHA-256 of its file, in hex.
 * @param more - Modes that take the place of those in the archive, and the device nodes that it lacks.
 */
export async function unpackFrom(
  tar: Source,
  digest: string,
  job: Job,
  more: More = {},
): Promise<Content> {
  try {
    return await unpackOnce(tar, digest, job, { ...more, holesOf: refuseLarge });
  } catch (error) {
    if (!(error instanceof LargeFile)) throw error;
  }
  // The archive has zeros for holes. An entry begins with its holes, so that they have to be known before.
  const holes = await holesOf(tar, job.options);
  for (const name of readdirSync(job.root, { encoding: "latin1" }))
    removeTree(within(Buffer.from(job.root), name));
  job.totals.restart();
  return unpackOnce(tar, digest, job, { ...more, holesOf: (place) => holes.get(place) });
}

interface More extends Pick<Rules, "modes"> {
  readonly devices?: readonly string[];
}

/** Smaller files get their zeros: to look for holes takes reading the image two more times. */
const LEAST_SIZE = 256 * 1024 ** 2;

/** What ends the first attempt. */
class LargeFile extends Error {}

function refuseLarge(_place: number, size: number): undefined {
  if (size >= LEAST_SIZE) throw new LargeFile();
}

/** Finds the holes of large files in an archive, by the places of their entries. */
async function holesOf(
  tar: Source,
  { maxSize, signal }: Job["options"],
): Promise<Map<number, SparseMap>> {
  const totals = totalsOf(maxSize, signal);
  // Zeros take no room, and there may be any number of them for the size of the image.
  totals.addFileSize(Number.MAX_SAFE_INTEGER);
  const holes = new Map<number, SparseMap>();
  let place = 0;
  let finder: ZeroFinder | undefined;
  const blocks = entriesOf({
    entry({ type, size }) {
      place += 1;
      finder = type === "0" && size >= LEAST_SIZE ? zeroFinder() : undefined;
      return finder?.take;
    },
    entryEnd() {
      const map = finder?.map();
      if (map !== undefined) holes.set(place, map);
      finder = undefined;
    },
  });
  for await (const chunk of tar.read()) {
    totals.addBytes(chunk.length);
    blocks.write(chunk);
  }
  return holes;
}

async function unpackOnce(
  tar: Source,
  digest: string,
  { root, totals, privileged, finish }: Job,
  { modes, holesOf, devices = [] }: More & Pick<Rules, "holesOf">,
): Promise<Content> {
  const rules = {
    privileged,
    ...(modes !== undefined && { modes }),
    ...(holesOf !== undefined && { holesOf }),
  };
  const { report } = await unpackTar(tar, root, { rules, totals, digests: [] });
  for (const device of devices) report.addChange("devices", device);
  finish.add(report);
  return {
    digest: `sha256:${digest}`,
    manifest: undefined,
    notes: notesOf([report], privileged),
  };
}
