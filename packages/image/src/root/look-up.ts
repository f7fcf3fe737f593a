import { readFileSync } from "node:fs";
import { locate } from "@sandboxlib/core";

/** The most that a file of the image may hold to be read for the set-up, in bytes. */
const MOST = 4 * 1024 * 1024;

/** The text of a file inside a root, whose symlinks never lead out of it; undefined when there is no such file. */
export function lookUp(root: string, path: string): string | undefined {
  const at = locate({ root, mounts: new Map() }, path);
  if (at.kind !== "file" || at.host === undefined) return undefined;
  const bytes = readFileSync(at.host);
  return bytes.length > MOST ? undefined : bytes.toString("latin1");
}
