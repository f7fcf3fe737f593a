import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { type Located, locate } from "@sandboxlib/core";

/** Larger files of an image are not read, in bytes. */
const MOST = 4 * 1024 * 1024;

/** The text of a file inside a root, whose symlinks never lead out of it; undefined when there is no such file. */
export function lookUp(root: string, path: string): string | undefined {
  const at = placeOf(root, path);
  if (at === undefined || at.kind !== "file" || at.host === undefined) return undefined;
  // An image may have a FIFO there, which nobody writes to, or a device, which acts when it is opened.
  const fd = openSync(at.host, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= MOST ? readFileSync(fd).toString("latin1") : undefined;
  } finally {
    closeSync(fd);
  }
}

/** Where a path leads inside a root; undefined when that cannot be said, as for a loop of symlinks or a name too long. */
export function placeOf(root: string, path: string): Located | undefined {
  try {
    return locate({ root, mounts: new Map() }, path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ELOOP" || code === "ENAMETOOLONG") return undefined;
    throw error;
  }
}
