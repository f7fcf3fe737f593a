import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  type Stats,
  utimesSync,
} from "node:fs";
import { dirname } from "node:path";
import { removeTree } from "@sandboxlib/core/internal";
import { invalidImage } from "../errors.js";
import { pathIn, shownName, within } from "./names.js";
import { chown } from "./ownership.js";
import type { Report, Whiteout } from "./report.js";

/**
 * Moves the files of a layer from a directory of its own over those of the lower layers. No symlink is followed in either
 * directory.
 *
 * @throws SandboxError `IMAGE_INVALID` when the layer has files below a path that a lower layer makes a symlink or a file.
 */
export function mergeLayer(lower: string, layer: string, report: Report): void {
  // The targets are looked up before the layer removes anything.
  for (const [path, target] of report.links) linkFromLower(lower, layer, path, target);
  for (const whiteout of report.whiteouts) applyWhiteout(lower, whiteout);
  mergeDirectory(Buffer.from(lower), Buffer.from(layer), "", report.directories);
}

/** Gives a file of the lower layers another name in a layer. */
function linkFromLower(lower: string, layer: string, path: string, target: string): void {
  const stat = isBelowDirectories(lower, target) ? statOf(pathIn(lower, target)) : undefined;
  const refuse = (why: string): Error =>
    invalidImage(`entry ${shownName(path)}: links to ${shownName(target)}, which is ${why}`);
  if (stat === undefined) throw refuse("not there");
  if (stat.isDirectory()) throw refuse("a directory");
  makeParents(layer, path);
  const to = pathIn(layer, path);
  const found = statOf(to);
  if (found?.isDirectory() === true)
    throw invalidImage(`entry ${shownName(path)}: is a directory and a hard link`);
  if (found !== undefined) removeTree(to);
  linkSync(pathIn(lower, target), to);
}

/** Makes the directories above a path of a layer, which tar(1) has not made for an entry that it never saw. */
function makeParents(layer: string, path: string): void {
  const parent = dirname(path);
  if (parent === ".") return;
  makeParents(layer, parent);
  const directory = pathIn(layer, parent);
  const stat = statOf(directory);
  if (stat === undefined) {
    mkdirSync(directory);
    chmodSync(directory, 0o755);
  } else if (!stat.isDirectory())
    throw invalidImage(
      `entry ${shownName(path)}: lies below ${shownName(parent)}, which is no directory`,
    );
}

function applyWhiteout(lower: string, { opaque, path }: Whiteout): void {
  if (!isBelowDirectories(lower, path)) return;
  const target = path === "" ? Buffer.from(lower) : pathIn(lower, path);
  if (!opaque) removeTree(target);
  else if (statOf(target)?.isDirectory() === true)
    for (const name of readdirSync(target, { encoding: "latin1" }))
      removeTree(within(target, name));
}

/** Whether everything above a path is a directory and no symlink. Otherwise a whiteout removes nothing. */
function isBelowDirectories(root: string, path: string): boolean {
  for (let above = dirname(path); above !== "." && above !== "/"; above = dirname(above))
    if (statOf(pathIn(root, above))?.isDirectory() !== true) return false;
  return true;
}

/**
 * Merges one directory of a layer.
 *
 * @param path - Its path in the layer, as in `names.ts`.
 * @param directories - The directories that have an entry in the layer. Others keep the owner and mode of the lower layers.
 */
function mergeDirectory(
  lower: Buffer,
  layer: Buffer,
  path: string,
  directories: ReadonlySet<string>,
): void {
  for (const name of readdirSync(layer, { encoding: "latin1" })) {
    const [from, to] = [within(layer, name), within(lower, name)];
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
        `a layer holds files below ${shownName(inside)}, which a lower one makes ${below.isSymbolicLink() ? "a symlink" : "a file"}`,
      );
    if (below !== undefined) removeTree(to);
    renameSync(from, to);
  }
}

function copyAttributes(path: Buffer, { uid, gid, mode, atimeMs, mtimeMs }: Stats): void {
  chown(path, uid, gid);
  chmodSync(path, mode & 0o7777);
  utimesSync(path, atimeMs / 1000, mtimeMs / 1000);
}

function statOf(path: Buffer): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
