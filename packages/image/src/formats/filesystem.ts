import { lstatSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { invalidImage } from "../errors.js";
import { startHelper } from "../unpack/helper.js";
import { notesOf } from "../unpack/report.js";
import { fileHash, programSource, type Source } from "../unpack/source.js";
import { maxUnpackedSize } from "../unpack/totals.js";
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
 * Unpacks an erofs file. fsck.erofs(8) can only write files, so it writes them to a temporary directory, in a sandbox.
 * tar(1) makes an archive of that directory, which is sanitized like any other. The owners of files are lost.
 */
export const unpackErofs: Format["unpack"] = async (job) => {
  const { path, source, scratch, totals, total, options } = job;
  if (source === undefined) throw new TypeError("an erofs is a file");
  total(source.size);
  totals.addFileSize(source.size);
  const digest = await fileHash(source);
  const tree = join(scratch, "tree");
  mkdirSync(tree, { mode: 0o755 });
  await extract(path, tree, maxUnpackedSize(source.size, options.maxSize));
  const tar = programSource(
    ["tar", "-c", "-C", tree, "--numeric-owner", "-f", "-", "."],
    tree,
    source.size,
  );
  return unpackFrom(tar, digest, job);
};

async function unpackFrom(tar: Source, digest: string, job: Job): Promise<Content> {
  const { root, totals, privileged } = job;
  const { report } = await unpackTar(tar, root, { rules: { privileged }, totals, digests: [] });
  return {
    digest: `sha256:${digest}`,
    manifest: undefined,
    notes: notesOf([report], privileged),
  };
}

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

/** How often the size is measured, in milliseconds. */
const PERIOD = 250;
/** The unit in which stat(2) counts the blocks of a file, in bytes. */
const BLOCK = 512;

/**
 * Limits what a tool writes that has no such limit itself: the files are measured four times a second.
 *
 * @param most - The most that the files may take on disk, in bytes.
 * @param stopWriter - Called when they take more, or cannot be measured.
 * @returns `stop`, which throws a SandboxError `IMAGE_INVALID` in these cases.
 */
export function watchSize(
  directory: string,
  most: number,
  stopWriter: () => void,
): { stop(): void } {
  let refused: Error | undefined;
  const measure = (): void => {
    try {
      if (sizeOf(directory) > most)
        refused ??= invalidImage(`it unpacks to more than ${most} bytes`);
    } catch (cause) {
      refused ??= invalidImage("it holds a directory that cannot be read", undefined, cause);
    }
    if (refused !== undefined) stopWriter();
  };
  const timer = setInterval(measure, PERIOD);
  return {
    stop() {
      clearInterval(timer);
      measure();
      if (refused !== undefined) throw refused;
    },
  };
}

function sizeOf(directory: string): number {
  let size = 0;
  for (const name of namesIn(directory)) {
    const stat = lstatSync(join(directory, name), { throwIfNoEntry: false });
    size += (stat?.blocks ?? 0) * BLOCK;
    if (stat?.isDirectory() === true) size += sizeOf(join(directory, name));
  }
  return size;
}

/**
 * The names in a directory. The tool may have removed or replaced the directory since it was found: then there are
 * none.
 */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}
