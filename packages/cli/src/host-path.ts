import { realpathSync } from "node:fs";
import { resolve } from "node:path";

/**
 * The absolute form of a path of the host. A `..` is followed as the kernel does, symlinks first: leaving it out of the
 * text would name another directory than the one that the user's shell and file manager show.
 */
export function hostPath(path: string): string {
  if (!path.split("/").includes("..")) return resolve(path);
  try {
    return realpathSync.native(path);
  } catch {
    return resolve(path); // It does not exist, and whoever uses it will say so.
  }
}
