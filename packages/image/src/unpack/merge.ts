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
import { removeTree } from "@sandboxlib/core/internal";
import { invalidImage, shown } from "../errors.js";
import type { Report, Whiteout } from "./report.js";

/**
 * Moves the files of a layer from a directory of its own over those of the lower layers. No symlink is followed in either
 * directory.
 *
 * @throws SandboxError `IMAGE_INVALID` when the layer has files below a path that a lower layer makes a symlink or a file.
 */
export function mergeLayer(lower: string, layer: string, report: Report): void {
  for (const whiteout of report.whiteouts) applyWhiteout(lower, whiteout);
  mergeDirectory(lower, layer, "", report.directories);
}

function applyWhiteout(lower: string, { opaque, path }: Whiteout): void {
  if (!isBelowDirectories(lower, path)) return;
  const target = join(lower, path);
  if (!opaque) removeTree(target);
  else if (statOf(target)?.isDirectory() === true)
    for (const name of readdirSync(target, { encoding: "buffer" }))
      removeTree(joined(target, name));
}

/** Whether everything above a path is a directory and no symlink. Otherwise a whiteout removes nothing. */
function isBelowDirectories(root: string, path: string): boolean {
  for (let above = dirname(path); above !== "." && above !== "/"; above = dirname(above))
    if (statOf(join(root, above))?.isDirectory() !== true) return false;
  return true;
}

/**
 * Merges one directory of a layer.
 *
 * @param directories - The directories that have an entry in the layer. Others keep the owner and mode of the lower layers.
 */
function mergeDirectory(
  lower: string,
  layer: string,
  path: string,
  directories: ReadonlySet<string>,
): void {
  for (const name of readdirSync(layer)) {
    const [from, to] = [join(layer, name), join(lower, name)];
    const [upper, below] = [lstatSync(from), statOf(to)];
    const inside = path === "" ? name : `${path}/${name}`;
    if (upper.isDirectory() && below?.isDirectory() === true) {
      mergeDirectory(to, from, inside, directories);
      if (directories.has(inside)) copyAttributes(to, upper);
      rmdirSync(from);
      continue;
    }
    if (upper.isDirectory() && below !== undefined && !directories.has(inside))
      throw invalidImage(
        `a layer holds files below ${shown(inside)}, which a lower one makes ${below.isSymbolicLink() ? "a symlink" : "a file"}`,
      );
    if (below !== undefined) removeTree(to);
    renameSync(from, to);
  }
}

function copyAttributes(path: string, { uid, gid, mode, atimeMs, mtimeMs }: Stats): void {
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
