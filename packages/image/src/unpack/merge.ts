import {
  chmodSync,
  chownSync,
  lstatSync,
  readdirSync,
  renameSync,
  rmdirSync,
  type Stats,
  utimesSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { removeTree } from "../cache/remove-tree.js";
import { invalidImage, shown } from "../invalid.js";
import type { Report, Whiteout } from "./report.js";

/**
 * Moves the files of a layer, which is unpacked into a directory of its own, over those of the lower layers. No symlink is
 * followed in either of them.
 *
 * @throws SandboxError `IMAGE_INVALID` when the layer has files below what a lower one makes a symlink.
 */
export function mergeLayer(lower: string, layer: string, report: Report): void {
  for (const whiteout of report.whiteouts) applyWhiteout(lower, whiteout);
  mergeDirectory(lower, layer, "", report.directories);
}

function applyWhiteout(lower: string, { opaque, path }: Whiteout): void {
  if (!isBelowDirectories(lower, path)) return;
  const at = join(lower, path);
  if (!opaque) removeTree(at);
  else if (statOf(at)?.isDirectory() === true)
    for (const name of readdirSync(at, { encoding: "buffer" })) removeTree(joined(at, name));
}

/** Whether everything above a path is a directory, and no symlink. */
function isBelowDirectories(root: string, path: string): boolean {
  for (let above = dirname(path); above !== "." && above !== "/"; above = dirname(above))
    if (statOf(join(root, above))?.isDirectory() !== true) return false;
  return true;
}

function mergeDirectory(
  lower: string,
  layer: string,
  path: string,
  named: ReadonlySet<string>,
): void {
  for (const name of readdirSync(layer)) {
    const [from, to] = [join(layer, name), join(lower, name)];
    const [upper, below] = [lstatSync(from), statOf(to)];
    const inside = path === "" ? name : `${path}/${name}`;
    if (upper.isDirectory() && below?.isDirectory() === true) {
      mergeDirectory(to, from, inside, named);
      if (named.has(inside)) giveLooks(to, upper);
      rmdirSync(from);
      continue;
    }
    if (upper.isDirectory() && below !== undefined && !named.has(inside))
      throw invalidImage(
        `a layer holds files below ${shown(inside)}, which a lower one makes ${below.isSymbolicLink() ? "a symlink" : "a file"}`,
      );
    if (below !== undefined) removeTree(to);
    renameSync(from, to);
  }
}

function giveLooks(path: string, { uid, gid, mode, atimeMs, mtimeMs }: Stats): void {
  if (process.getuid?.() === 0) chownSync(path, uid, gid);
  chmodSync(path, mode & 0o7777);
  utimesSync(path, atimeMs / 1000, mtimeMs / 1000);
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

function joined(directory: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), name]);
}
