import { unpackTar } from "../unpack/unpack-tar.js";
import type { Format } from "./format.js";
import { notesOf } from "./notes.js";

/** Unpacks a plain tar archive of a root. */
export const unpackTarball: Format["unpack"] = async ({
  source,
  root,
  totals,
  privileged,
  total,
  onRead,
}) => {
  if (source === undefined) throw new TypeError("a tar archive is a file");
  total(source.size);
  const terms = { privileged };
  const unpacked = await unpackTar(source, root, {
    terms,
    totals,
    digests: ["file:sha256"],
    onRead,
  });
  const { report, digests } = unpacked;
  return {
    digest: `sha256:${digests["file:sha256"]}`,
    manifest: undefined,
    notes: notesOf([report], privileged),
  };
};
