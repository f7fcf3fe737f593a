import { dirname, relative } from "node:path";
import {
  OWN_DIRECTORY,
  type OwnEntry,
  type ResolvedConfig,
  type ResolvedMount,
} from "@sandboxlib/core/backend";

/**
 * What the run's own directory has to hold: a directory for each tmpfs, as the tool makes none, and in there the mount
 * points that the config asks for.
 */
export function tmpfsOf(config: ResolvedConfig): OwnEntry[] {
  const entries = new Map<string, OwnEntry>();
  for (const mount of config.mounts) {
    if (mount.create) for (const entry of mountPoint(mount, config)) entries.set(entry.path, entry);
    if (mount.type !== "tmpfs") continue;
    const path = nameOf(mount, config);
    entries.set(path, { type: "directory", path, mode: 0o1777, tmpfs: mount.target });
  }
  return [...entries.values()];
}

/** Where the directory for a tmpfs lies on the host. */
export function tmpfsSource(mount: ResolvedMount, config: ResolvedConfig): string {
  return `${OWN_DIRECTORY}/${nameOf(mount, config)}`;
}

/** A mount whose mount point would have to be made where only the tool could. */
export function notMade(config: ResolvedConfig): ResolvedMount | undefined {
  return config.mounts.find((mount) => mount.create && above(mount, config)?.type !== "tmpfs");
}

/** What has to be made in a tmpfs for a mount: the directories on the way, parents first, and a directory or a file. */
function mountPoint(mount: ResolvedMount, config: ResolvedConfig): OwnEntry[] {
  const tmpfs = above(mount, config);
  if (tmpfs === undefined) return [];
  const names = relative(tmpfs.target, mount.target).split("/");
  const isFile = "kind" in mount && mount.kind === "file";
  return names.map((_, index) => {
    const path = [nameOf(tmpfs, config), ...names.slice(0, index + 1)].join("/");
    return isFile && index === names.length - 1
      ? { type: "file", path, mode: 0o444, data: "" }
      : { type: "directory", path, mode: 0o755 };
  });
}

/** The mount in which the mount point of another lies. */
function above({ target }: ResolvedMount, { mounts }: ResolvedConfig): ResolvedMount | undefined {
  for (let path = dirname(target); path !== "/"; path = dirname(path)) {
    const found = mounts.findLast((mount) => mount.target === path);
    if (found !== undefined) return found;
  }
  return undefined;
}

function nameOf(mount: ResolvedMount, { mounts }: ResolvedConfig): string {
  return `tmpfs-${mounts.indexOf(mount)}`;
}
