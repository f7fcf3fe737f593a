import { fileHash } from "../unpack/hash.js";
import { programSource } from "../unpack/program-source.js";
import { settleOwners } from "../unpack/settle.js";
import { unpackTar } from "../unpack/unpack-tar.js";
import type { Unpack } from "./format.js";
import { notesOf } from "./notes.js";

/** A squashfs file: sqfs2tar(1) makes a tar archive of it as it is unpacked, and that is judged like any other. */
export const unpackSquashfs: Unpack = async ({ path, source, root, totals, privileged, total }) => {
  if (source === undefined) throw new TypeError("a squashfs is a file");
  total(source.size);
  totals.madeOf(source.size);
  const digest = await fileHash(source);
  const tar = programSource(["sqfs2tar", "--no-xattr", "--", path], path, source.size);
  const { findings } = await unpackTar(tar, root, {
    terms: { whiteouts: false, privileged },
    totals,
    digests: [],
  });
  if (privileged) settleOwners(root, findings.owners);
  return {
    digest: `sha256:${digest}`,
    manifest: undefined,
    notes: notesOf([findings], privileged),
  };
};
