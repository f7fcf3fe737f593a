import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { locate } from "@sandboxlib/core";
import { invalidImage, shown } from "../invalid.js";

/** Where sandboxes mount by default. */
const MOUNT_POINTS = ["/proc", "/dev", "/tmp"];

/**
 * Makes the directories that a run needs and that an image may lack, the working directory among them.
 *
 * @throws SandboxError `IMAGE_INVALID` for one that cannot be.
 */
export function makePlaces(root: string, manifest: unknown): void {
  for (const path of [...MOUNT_POINTS, ...workingDirectory(manifest)]) {
    try {
      makePlace(root, path, path === "/tmp" ? 0o1777 : 0o755);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message.split(",", 1)[0] : String(cause);
      throw invalidImage(`${shown(path)} cannot be made in it: ${why}`, undefined, cause);
    }
  }
}

/** Makes a directory inside a root, with its parents. Symlinks are resolved inside the root. */
function makePlace(root: string, path: string, mode: number): void {
  const at = locate({ root, mounts: new Map() }, path);
  if (at.kind !== "missing" || !isAbove(root, at.path)) return;
  const parent = dirname(at.path);
  if (parent !== "/") makePlace(root, parent, 0o755);
  const above = lstatSync(join(root, parent), { throwIfNoEntry: false });
  if (above?.isDirectory() !== true) return;
  mkdirSync(join(root, at.path));
  chmodSync(join(root, at.path), mode);
}

/** Whether all that exists of a resolved path is a directory. */
function isAbove(root: string, path: string): boolean {
  for (let above = path; above !== "/"; above = dirname(above)) {
    const stat = lstatSync(join(root, above), { throwIfNoEntry: false });
    if (stat !== undefined && !stat.isDirectory()) return false;
  }
  return true;
}

function workingDirectory(manifest: unknown): string[] {
  const config = (manifest as { config?: { WorkingDir?: unknown } } | undefined)?.config;
  const { WorkingDir } = config ?? {};
  return typeof WorkingDir === "string" && WorkingDir.startsWith("/") && !WorkingDir.includes("\0")
    ? [WorkingDir]
    : [];
}
