import type { ResolvedConfig, ResolvedMount } from "../backend/resolved-config.js";
import type { SandboxError } from "../result/error.js";
import { find, invalid, realPath } from "./lookup.js";
import { viewOf } from "./view.js";

/**
 * Checks again, right before a run, that no path has changed its meaning: a program with a writable root may have put
 * a symlink where a mount point was, for the next run to follow.
 *
 * @throws SandboxError `PATH_INVALID`
 */
export function recheckPaths({ root, overlay, mounts, cwd }: ResolvedConfig): void {
  if (realPath(root) !== root) throw changed(root, "root");
  const view = viewOf({ root, mounts, ...(overlay !== undefined && { overlay }) });
  for (const mount of mounts) {
    if (mount.type === "bind" && mount.source !== "" && realPath(mount.source) !== mount.source)
      throw changed(mount.source, mount.path);
    if (mount.create) continue;
    const { path, kind } = find(view, mount.target, mount.path, true);
    if (path !== mount.target || kind !== kindOf(mount)) throw changed(mount.target, mount.path);
  }
  const at = find(view, cwd, "cwd");
  if (at.path !== cwd || at.kind === "missing") throw changed(cwd, "cwd");
}

function kindOf(mount: ResolvedMount): string {
  return mount.type === "bind" || mount.type === "mask" ? mount.kind : "directory";
}

function changed(path: string, field: string): SandboxError {
  return invalid(
    field,
    path,
    "is not what it was when the sandbox was made",
    "Make a new sandbox after the change.",
  );
}
