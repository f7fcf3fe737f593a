import { statSync } from "node:fs";
import { dirname } from "node:path";
import type { ResolvedMount } from "../backend/resolved-config.js";
import { find, invalid, nearest, type View } from "./view.js";

/**
 * Binds each writable directory above a protected path onto itself, with the powers that it has anyway. As the kernel
 * does not rename a mount point, the program cannot move the protected path away with the directory in which it lies,
 * and put its own in that place.
 *
 * @param rootReadOnly - Whether what no mount covers is read-only.
 * @throws SandboxError `PATH_INVALID` for a directory that cannot be held in its place.
 */
export function selfBindsFor(view: View, rootReadOnly: boolean): ResolvedMount[] {
  const binds = new Map<string, ResolvedMount>();
  for (const mount of [...view.mounts.values()].filter(isProtected)) {
    for (const target of renamable(view, mount.target, rootReadOnly)) {
      const made = binds.get(target) ?? selfBind(view, target, mount);
      if (made !== undefined) binds.set(target, made);
    }
  }
  return [...binds.values()];
}

function isProtected(mount: ResolvedMount): boolean {
  return mount.type === "mask" || (mount.type === "bind" && mount.readOnly);
}

/** The directories between a path and the writable mount in which it lies. What a tmpfs holds is the program's own. */
function renamable(view: View, path: string, rootReadOnly: boolean): string[] {
  const found: string[] = [];
  for (let above = dirname(path); above !== "/"; above = dirname(above)) {
    const mount = view.mounts.get(above);
    if (mount !== undefined) return mount.type === "bind" && !mount.readOnly ? found : [];
    found.push(above);
  }
  return rootReadOnly ? [] : found;
}

function selfBind(view: View, target: string, asking: ResolvedMount): ResolvedMount | undefined {
  const { path } = asking;
  const { host = "" } = find(view, target, path);
  const cover = nearest(view, target);
  const isLayered = view.upper !== undefined && cover === undefined;
  // A bind of a directory of the host's /dev would make its devices usable: see the backends.
  if (inDev(host) && !(cover?.type === "bind" && inDev(cover.source))) {
    if (isMountPoint(host)) return undefined;
    const why = `lies in ${target}, which the program could move away`;
    throw invalid(path, asking.target, why, `Name ${target} itself, or do not make it writable.`);
  }
  const source = isLayered ? "" : host;
  return { type: "bind", source, target, readOnly: false, kind: "directory", path, create: false };
}

function inDev(host: string): boolean {
  return /^\/dev(\/|$)/.test(host);
}

function isMountPoint(host: string): boolean {
  return statSync(host).dev !== statSync(dirname(host)).dev;
}
