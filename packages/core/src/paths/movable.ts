import type { ResolvedConfig } from "../backend/resolved-config.js";
import { invalid, nearest, viewOf } from "./view.js";

/** Whether what is mounted on a path inside lies in a directory of the host that the program may write. */
export function isAmongWritable(config: ResolvedConfig): (target: string) => boolean {
  const view = viewOf(config);
  return (target) => {
    const cover = nearest(view, target);
    return cover === undefined ? !config.rootReadOnly : cover.type === "bind" && !cover.readOnly;
  };
}

/**
 * Refuses what a program could rename or remove that makes namespaces. The kernel keeps it from that where the path is a
 * mount point of its own mount namespace. In one that it has made it can let go of the whole tree of mounts, and reach the
 * directory all the same, by an fd that it has opened before.
 *
 * @throws SandboxError `PATH_INVALID`
 */
export function refuseMovable(config: ResolvedConfig): void {
  if (config.allow?.includes("user-namespaces") !== true) return;
  const isMovable = isAmongWritable(config);
  for (const mount of config.mounts) {
    const { type, path, target } = mount;
    const isKept = type === "mask" ? path.startsWith("hidden") : type === "bind" && mount.readOnly;
    if (!isKept || !isMovable(target)) continue;
    const why =
      "lies in a directory that the program may write, from where it could move it away with the user namespaces that `allow` lets it make";
    throw invalid(path, target, why, "Leave `allow` out, or make that directory read-only.");
  }
}
