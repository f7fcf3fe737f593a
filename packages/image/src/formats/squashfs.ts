import { fileHash } from "../unpack/hash.js";
import { programSource } from "../unpack/program-source.js";
import { unpackTar } from "../unpack/unpack-tar.js";
import type { Format } from "./format.js";
import { notesOf } from "./notes.js";

/** Unpacks a squashfs file: sqfs2tar(1) turns it into a tar archive, which is sanitized like any other. */
export const unpackSquashfs: Format["unpack"] = async ({
  path,
  source,
  root,
  totals,
  privileged,
  total,
}) => {
  if (source === undefined) throw new TypeError("a squashfs is a file");
  total(source.size);
  totals.madeOf(source.size);
  const digest = await fileHash(source);
  const tar = programSource(["sqfs2tar", "--no-xattr", "--", path], path, source.size);
  const { report } = await unpackTar(tar, root, {
    terms: { privileged },
    totals,
    digests: [],
  });
  return {
    digest: `sha256:${digest}`,
    manifest: undefined,
    notes: notesOf([report], privileged),
  };
};
