import {
  chmodSync,
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { isSandboxError } from "@sandboxlib/core";
import { BOX, type Helper, NOBODY, startHelper } from "../unpack/helper.js";
import { nameOf, within } from "../unpack/names.js";
import { chown } from "../unpack/ownership.js";
import { fileHash, programSource } from "../unpack/source.js";
import { maxUnpackedSize } from "../unpack/totals.js";
import { watchSize } from "../unpack/watch-size.js";
import { unpackFrom } from "./filesystem.js";
import type { Format } from "./format.js";

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
  const box = join(scratch, "box");
  const tree = join(box, "tree");
  for (const directory of [box, tree]) mkdirSync(directory, { mode: 0o700 });
  const modes = new Map<string, number>();
  const devices = await extract(path, box, maxUnpackedSize(source.size, options.maxSize), modes);
  if (process.getuid?.() === 0) chown(box, 0, 0);
  makeReadable(tree, modes);
  const tar = programSource(
    ["tar", "-c", "-C", tree, "--owner=0", "--group=0", "-f", "-", "."],
    tree,
    source.size,
  );
  return unpackFrom(tar, digest, job, { modes, devices });
};

/**
 * Extracts an erofs to the directory `tree` in another one.
 *
 * @returns the device nodes that it has left out.
 */
async function extract(
  path: string,
  box: string,
  most: number,
  modes: Map<string, number>,
): Promise<string[]> {
  const tree = join(box, "tree");
  const helper = await extractorFor(path, box);
  helper.child.stdin?.end();
  helper.child.stdout?.resume();
  const watch = watchSize(tree, most, () => void helper.child.kill("SIGKILL"), modes);
  let said = "";
  try {
    said = await helper.done();
  } finally {
    watch.stop();
  }
  const skipped = said.matchAll(/failed to create special file: (.*), skipped$/gm);
  return [...skipped].map(([, device = ""]) => nameOf(device.replace(/^.*?\/tree\//s, "")));
}

/**
 * Starts fsck.erofs, as another user than root if possible. For root it insists on making devices, which it cannot in a
 * sandbox; for others it leaves them out.
 */
async function extractorFor(path: string, box: string): Promise<Helper> {
  const argv = (to: string, image: string) =>
    ["fsck.erofs", `--extract=${to}`, "--overwrite", "--preserve-perms", image] as const;
  const tree = join(box, "tree");
  if (process.getuid?.() === 0) {
    const reads = readableByAll(path, box);
    for (const directory of [box, tree]) chown(directory, NOBODY.uid, NOBODY.gid);
    try {
      return await startHelper(argv(`${BOX}/tree`, `${BOX}/image`), {
        box,
        ...(reads !== undefined && { reads }),
      });
    } catch (error) {
      if (!isSandboxError(error) || error.code !== "CAPABILITY_UNSUPPORTED") throw error;
      for (const directory of [box, tree]) chown(directory, 0, 0);
    }
  }
  return startHelper(argv(tree, path), { writable: tree, reads: path });
}

/**
 * Makes a file `image` in a box: the place for a mount of the image, or a copy of an image that only root can read.
 *
 * @returns what is to be mounted there.
 */
function readableByAll(path: string, box: string): string | undefined {
  const file = join(box, "image");
  if ((lstatSync(path).mode & 0o004) !== 0) {
    writeFileSync(file, "", { mode: 0o600 });
    return path;
  }
  copyFileSync(path, file, constants.COPYFILE_FICLONE);
  chown(file, NOBODY.uid, NOBODY.gid);
  return undefined;
}

/**
 * Gives a tree to the caller, and lets its owner read all of it, since tar(1) runs without the power of root.
 *
 * @param modes - Gets the modes of what was changed, by the paths as in `names.ts`. The empty path is the tree itself.
 */
function makeReadable(tree: string, modes: Map<string, number>): void {
  const open = (path: Buffer, name: string): void => {
    const stat = lstatSync(path);
    const needed = stat.isDirectory() ? 0o700 : 0o400;
    const mode = stat.mode & 0o7777;
    if (process.getuid?.() === 0) chown(path, 0, 0);
    if (!stat.isSymbolicLink() && (mode & needed) !== needed) {
      modes.set(name, mode);
      chmodSync(path, mode | needed);
    }
    if (!stat.isDirectory()) return;
    for (const inner of readdirSync(path, { encoding: "latin1" }))
      open(within(path, inner), name === "" ? inner : `${name}/${inner}`);
  };
  open(Buffer.from(tree), "");
}
