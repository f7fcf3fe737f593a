import type { Rules } from "../unpack/checked-entry.js";
import { notesOf } from "../unpack/report.js";
import { fileHash, programSource, type Source } from "../unpack/source.js";
import { unpackTar } from "../unpack/unpack-tar.js";
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
 * Unpacks a tar archive that a program makes of the file system.
 *
 * @param digest - The SHA-256 of its file, in hex.
 * @param more - Modes that take the place of those in the archive, and the device nodes that it lacks.
 */
export async function unpackFrom(
  tar: Source,
  digest: string,
  { root, totals, privileged, finish }: Job,
  { modes, devices = [] }: Pick<Rules, "modes"> & { readonly devices?: readonly string[] } = {},
): Promise<Content> {
  const rules = { privileged, ...(modes !== undefined && { modes }) };
  const { report } = await unpackTar(tar, root, { rules, totals, digests: [] });
  for (const device of devices) report.addChange("devices", device);
  finish.add(report);
  return {
    digest: `sha256:${digest}`,
    manifest: undefined,
    notes: notesOf([report], privileged),
  };
}
