import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileHash } from "../unpack/hash.js";
import { startHelper } from "../unpack/helper.js";
import { programSource } from "../unpack/program-source.js";
import { mostOf } from "../unpack/totals.js";
import { unpackTar } from "../unpack/unpack-tar.js";
import type { Format } from "./format.js";
import { notesOf } from "./notes.js";
import { watchSize } from "./watch-size.js";

/**
 * Unpacks an erofs file. fsck.erofs(8) can only write files: it does so in a sandbox, into a directory that is thrown away.
 * tar(1) makes an archive of that, which is sanitized like any other. The owners of files are lost.
 */
export const unpackErofs: Format["unpack"] = async (job) => {
  const { path, source, scratch, root, totals, privileged, total, options } = job;
  if (source === undefined) throw new TypeError("an erofs is a file");
  total(source.size);
  totals.madeOf(source.size);
  const digest = await fileHash(source);
  const tree = join(scratch, "tree");
  mkdirSync(tree, { mode: 0o755 });
  await extract(path, tree, mostOf(source.size, options.maxSize));
  const tar = programSource(
    ["tar", "-c", "-C", tree, "--numeric-owner", "-f", "-", "."],
    tree,
    source.size,
  );
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

async function extract(path: string, tree: string, most: number): Promise<void> {
  const argv = ["fsck.erofs", `--extract=${tree}`, "--overwrite", path] as const;
  const helper = await startHelper(argv, { writable: tree, reads: path });
  helper.child.stdin?.end();
  helper.child.stdout?.resume();
  const watch = watchSize(tree, most, () => void helper.child.kill("SIGKILL"));
  try {
    await helper.done();
  } finally {
    watch.stop();
  }
}
