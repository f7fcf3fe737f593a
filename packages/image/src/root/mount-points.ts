import { chmodSync, lstatSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import type { ConfigInput } from "@sandboxlib/core";
import { locate } from "@sandboxlib/core/internal";
import { invalidImage, shown } from "../errors.js";
import type { ImageConfig } from "../oci/json.js";
import { chown } from "../unpack/ownership.js";
import { locateIn } from "./users.js";

/** Where sandboxes mount something by default. */
const MOUNT_POINTS = ["/proc", "/dev", "/tmp"];

/**
 * Makes the directories that a run needs and an image may lack: the usual mount points, the working directory and those of
 * the volumes.
 *
 * @throws SandboxError `IMAGE_INVALID` for one that cannot be made.
 */
export function makeMissingDirectories(root: string, manifest: unknown): void {
  for (const path of [...MOUNT_POINTS, ...directoriesOf(manifest)]) {
    try {
      makeMissing(root, path, path === "/tmp" ? 0o1777 : 0o755);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message.split(",", 1)[0] : String(cause);
      throw invalidImage(`${shown(path)} cannot be made in it: ${why}`, undefined, cause);
    }
  }
}

function directoriesOf(manifest: unknown): string[] {
  const { config } = (manifest as Partial<ImageConfig> | undefined) ?? {};
  const { WorkingDir, Volumes } = config ?? {};
  const volumes = Object.keys(Volumes ?? {}).map((path) => posix.resolve("/", path));
  return [...(WorkingDir === undefined ? [] : [WorkingDir]), ...volumes].filter(
    (path) => path.startsWith("/") && path !== "/" && !path.includes("\0"),
  );
}

/** Makes a directory inside a root, with its parents. Symlinks are resolved inside the root. */
function makeMissing(root: string, path: string, mode: number): void {
  const found = locate({ root, mounts: new Map() }, path);
  if (found.kind !== "missing" || !isBelowDirectories(root, found.path)) return;
  const parent = dirname(found.path);
  if (parent !== "/") makeMissing(root, parent, 0o755);
  const stat = lstatSync(join(root, parent), { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true) return;
  mkdirSync(join(root, found.path));
  chmodSync(join(root, found.path), mode);
}

/** Whether every part of a resolved path that exists is a directory. */
function isBelowDirectories(root: string, path: string): boolean {
  for (let above = path; above !== "/"; above = dirname(above)) {
    const stat = lstatSync(join(root, above), { throwIfNoEntry: false });
    if (stat !== undefined && !stat.isDirectory()) return false;
  }
  return true;
}

/**
 * Makes the mount points of a config that a root lacks.
 *
 * @param directory - The directory of the run that is seen over the root, or the root itself when the run has a copy.
 */
export function makeMountPoints(
  root: string,
  directory: string,
  { mounts = [] }: Pick<ConfigInput, "mounts">,
): void {
  for (const mount of mounts) {
    const found = locateIn(root, mount.target);
    if (found?.kind !== "missing") continue;
    if (!makeDirectory(root, directory, dirname(found.path))) continue;
    const path = join(directory, found.path);
    if (mount.type === "bind" && !isDirectory(mount.source)) writeFileSync(path, "");
    else mkdirSync(path, { recursive: true });
  }
}

/**
 * Makes a directory and its parents below `top`. It gets the owner and mode of the directory of the root with the same path.
 *
 * @returns false when the root has something else than a directory on the way.
 */
function makeDirectory(root: string, top: string, path: string): boolean {
  if (path === "/") return true;
  if (!makeDirectory(root, top, dirname(path))) return false;
  const original = lstatSync(join(root, path), { throwIfNoEntry: false });
  if (original !== undefined && !original.isDirectory()) return false;
  const made = join(top, path);
  if (lstatSync(made, { throwIfNoEntry: false }) !== undefined) return true;
  mkdirSync(made);
  chmodSync(made, original === undefined ? 0o755 : original.mode & 0o7777);
  if (original !== undefined) chown(made, original.uid, original.gid);
  return true;
}

/** Whether a path of the host is a directory. One that is missing counts as one: core refuses it later. */
function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() !== false;
}
