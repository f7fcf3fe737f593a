import { dirname } from "node:path";
import { invalidImage, shown } from "../invalid.js";
import type { Entry } from "./entry.js";
import type { Findings } from "./findings.js";

/** Keeps an archive from using its own symlinks as directories. */
export interface Places {
  /** @throws SandboxError `IMAGE_INVALID` when the entry, or what it links to, lies below a symlink of the archive. */
  add(entry: Entry, found: Findings): void;
}

/** The symlinks of one archive, as far as it has gone by. */
export function placesOf(): Places {
  const symlinks = new Set<string>();
  let safe = "";
  const check = (path: string, name: string): void => {
    const parent = dirname(path);
    if (parent === "." || parent === safe || symlinks.size === 0) return;
    for (let above = parent; above !== "."; above = dirname(above)) {
      if (symlinks.has(above))
        throw invalidImage(
          `entry ${shown(name)}: lies below ${shown(above)}, which the image makes a symlink`,
        );
    }
    safe = parent;
  };
  return {
    add({ type, path, target }, found) {
      check(path, path);
      if (type === "link") check(target, path);
      if (type === "directory") found.directories.add(path);
      else found.directories.delete(path);
      if (type === "symlink") {
        symlinks.add(path);
        safe = "";
      } else {
        symlinks.delete(path);
      }
    },
  };
}
