import { join, relative } from "node:path";
import type { ResolvedConfig, ResolvedMount } from "../backend/resolved-config.js";
import { type MountEntry, type MountTable, mountsOf } from "../host/mountinfo.js";
import { invalid, nearest, viewOf } from "./view.js";

/** How a backend can lay an empty directory over another. */
export type MaskType = "mask" | "tmpfs";

/**
 * Masks what of the host would lead out of a sandbox, wherever the root or a bind shows it, with an empty directory:
 *
 * - cgroups: who can open the directory of one can start processes in it, read-only or not
 *   (clone(2), `CLONE_INTO_CGROUP`);
 * - with a pid namespace, a procfs of the host, which shows the processes that are not to be seen, and the files of
 *   those that have the program's uid.
 *
 * @param type - Undefined for a backend that can mount no empty directory. It has to leave these file systems out itself.
 * @throws SandboxError `PATH_INVALID` for a root or a bind that lies in one of them.
 */
export function maskHost(
  config: ResolvedConfig,
  type: MaskType | undefined,
  table: MountTable | undefined = mountsOf("self"),
): ResolvedConfig {
  if (table === undefined) return config;
  const shown = [
    { source: config.root, target: "/", path: "root" },
    // One without a source shows what is there already.
    ...config.mounts.flatMap((mount) =>
      mount.type === "bind" && mount.source !== "" ? [mount] : [],
    ),
  ];
  const directories = directoriesIn(config, table);
  for (const { source, path } of shown) {
    const directory = directories.find((each) => `${source}/`.startsWith(`${each}/`));
    if (directory !== undefined) refuse(source, path, directory, table);
  }
  const masks = shown.flatMap(({ source, target, path }) =>
    directories.flatMap((directory) => {
      const at = placeOf(directory, source, target, config);
      return at === undefined || type === undefined ? [] : [mask(type, at, path)];
    }),
  );
  return masks.length === 0 ? config : { ...config, mounts: withMasks(config.mounts, masks) };
}

function isWayOut({ type }: MountEntry, { isolate }: ResolvedConfig): boolean {
  return type === "cgroup" || type === "cgroup2" || (type === "proc" && isolate.has("pid"));
}

function refuse(source: string, path: string, directory: string, table: MountTable): void {
  const field = path.startsWith("mounts") ? `${path}.source` : path;
  if (table.mountOf(directory)?.type !== "proc")
    throw invalid(
      field,
      source,
      "lies in a cgroup hierarchy of the host, where a program could start processes outside its own cgroup",
      "Leave it out.",
    );
  // A bind of a single file, such as /proc/meminfo, shows no process.
  if (!/^(\/\d+(\/.*)?)?$/.test(source.slice(directory.length))) return;
  throw invalid(
    field,
    source,
    "shows the processes of the host, and `isolate` has `pid`",
    "Use a mount of type `proc`, or leave `pid` out of `isolate`.",
  );
}

/** Hierarchies side by side, such as `/sys/fs/cgroup/memory` and `/sys/fs/cgroup/pids`, are masked as one. */
function directoriesIn(config: ResolvedConfig, table: MountTable): string[] {
  const found = table.entries
    .filter((entry) => isWayOut(entry, config) && table.mountOf(entry.at) === entry)
    .map(({ at }) => (at.startsWith(`${CGROUPS}/`) ? CGROUPS : at));
  return [...new Set(found)].filter((each) => !found.some((above) => each.startsWith(`${above}/`)));
}

const CGROUPS = "/sys/fs/cgroup";

/** Where a directory of the host appears inside; undefined where it does not, or where something of the config lies on it. */
function placeOf(
  directory: string,
  source: string,
  target: string,
  config: ResolvedConfig,
): string | undefined {
  const way = relative(source, directory);
  if (way === "" || way === ".." || way.startsWith("../")) return undefined;
  const view = viewOf(config);
  const at = join(target, way);
  if (view.mounts.has(at) || (nearest(view, at)?.target ?? "/") !== target) return undefined;
  return at;
}

function mask(type: MaskType, target: string, path: string): ResolvedMount {
  const base = { target, path, create: false };
  return type === "mask" ? { ...base, type, kind: "directory" } : { ...base, type, isMask: true };
}

/** Adapts what the config mounts below a mask: a mount point has to be made there, and hidden paths are gone already. */
function withMasks(
  mounts: readonly ResolvedMount[],
  masks: readonly ResolvedMount[],
): ResolvedMount[] {
  const kept = mounts.flatMap((mount) => {
    if (!masks.some(({ target }) => mount.target.startsWith(`${target}/`))) return [mount];
    return mount.type === "mask" ? [] : [{ ...mount, create: true }];
  });
  const depth = ({ target }: ResolvedMount): number => target.split("/").length;
  return [...kept, ...masks].sort((a, b) => depth(a) - depth(b));
}
