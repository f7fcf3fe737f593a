import { chmodSync, chownSync, lstatSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ConfigInput } from "@sandboxlib/core";
import { placeOf } from "../root/look-up.js";
import type { Layer } from "./layer.js";

/** Makes the mount points of a config that a root lacks, in the layer of the run. */
export function makeMountPoints({ root, own }: Layer, { mounts = [] }: ConfigInput): void {
  if (own === undefined) return;
  for (const mount of mounts) {
    const at = placeOf(root, mount.target);
    if (at?.kind !== "missing" || !makeDirectory(root, own, dirname(at.path))) continue;
    if (mount.type === "bind" && !isDirectory(mount.source)) writeFileSync(join(own, at.path), "");
    else mkdirSync(join(own, at.path), { recursive: true });
  }
}

/** Makes a directory with its parents in `own`. Where the root has one, too, the new one gets the same owner and mode. */
function makeDirectory(root: string, own: string, path: string): boolean {
  if (path === "/") return true;
  if (!makeDirectory(root, own, dirname(path))) return false;
  const below = lstatSync(join(root, path), { throwIfNoEntry: false });
  if (below !== undefined && !below.isDirectory()) return false;
  const made = join(own, path);
  if (lstatSync(made, { throwIfNoEntry: false }) !== undefined) return true;
  mkdirSync(made);
  chmodSync(made, below === undefined ? 0o755 : below.mode & 0o7777);
  if (below !== undefined && process.getuid?.() === 0) chownSync(made, below.uid, below.gid);
  return true;
}

/** A source that is missing is refused later, by core. */
function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() !== false;
}
