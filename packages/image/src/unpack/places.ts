import { dirname } from "node:path";
import { invalidImage, shown } from "../invalid.js";
import type { Entry } from "./entry.js";
import type { Report } from "./report.js";

/** Refuses entries below a symlink of the same archive, through which tar(1) could write elsewhere. */
export interface Places {
  /**
   * Adds an entry. @returns how many directories above it are new.
   *
   * @throws SandboxError `IMAGE_INVALID` when the entry, or what it links to, lies below a symlink of the archive.
   */
  add(entry: Entry, report: Report): number;
}

/**
 * The symlinks of one archive. A name that was a symlink once counts as one until the end: a later entry of that name may
 * not have replaced it, since tar(1) goes on when an entry fails.
 */
export function placesOf(): Places {
  const symlinks = new Set<string>();
  let safe = "";
  const check = (path: string, name: string): void => {
    if (symlinks.size === 0) return;
    for (let above = dirname(path); above !== "." && above !== safe; above = dirname(above)) {
      if (symlinks.has(above))
        throw invalidImage(
          `entry ${shown(name)}: lies below ${shown(above)}, which the image makes a symlink`,
        );
    }
  };
  return {
    add({ type, path, target }, report) {
      check(path, path);
      safe = dirname(path);
      if (type === "link") check(target, path);
      if (type !== "directory") report.directories.delete(path);
      else {
        report.directories.add(path);
        report.above.delete(path);
      }
      // A hard link to a symlink is one itself.
      if (type === "symlink" || (type === "link" && symlinks.has(target))) {
        symlinks.add(path);
        safe = "";
      }
      return addAbove(path, report);
    },
  };
}

function addAbove(path: string, { directories, above }: Report): number {
  let added = 0;
  for (let each = dirname(path); each !== "."; each = dirname(each)) {
    if (directories.has(each) || above.has(each)) break;
    above.add(each);
    added += 1;
  }
  return added;
}
