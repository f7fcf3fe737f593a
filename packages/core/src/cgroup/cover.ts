import { dirname, join, relative } from "node:path";
import type { ResolvedConfig, ResolvedMount } from "../plan/resolved-config.js";
import { nearest, viewOf } from "../resolve/view.js";
import { type Hierarchy, hierarchies } from "./hierarchy.js";

/**
 * Makes the cgroups of the host read-only where a program could write to them, and so leave its own: to the kernel, a
 * root caller's program is their owner, whatever powers it has lost. A cgroup that the config itself binds is left
 * alone.
 *
 * @param mayBind - Whether the backend has read-only binds; else an empty directory covers them.
 */
export function coverCgroups(
  config: ResolvedConfig,
  mayBind: boolean,
  found: readonly Hierarchy[] = hierarchies(),
): ResolvedConfig {
  const covers = tops(found.map(({ mount }) => mount)).flatMap((host) =>
    writableAt(config, host).map((target) => cover(host, target, mayBind)),
  );
  const depth = ({ target }: ResolvedMount): number => target.split("/").length;
  return {
    ...config,
    mounts: [...config.mounts, ...covers].sort((a, b) => depth(a) - depth(b)),
  };
}

/** Hierarchies that are mounted side by side, as `/sys/fs/cgroup/memory` and `/sys/fs/cgroup/pids`, are covered as one. */
function tops(mounts: readonly string[]): string[] {
  const above = mounts.map(dirname);
  return [
    ...new Set(
      mounts.map((mount, index) => {
        const directory = above[index] ?? mount;
        return above.indexOf(directory) === above.lastIndexOf(directory) ? mount : directory;
      }),
    ),
  ];
}

/** Where a directory of the host can be written inside. */
function writableAt(config: ResolvedConfig, host: string): string[] {
  const view = viewOf(config);
  const ways = [
    ...(config.rootReadOnly ? [] : [{ source: config.root, target: "/" }]),
    ...config.mounts.flatMap((mount) => (mount.type === "bind" && !mount.readOnly ? [mount] : [])),
  ];
  return ways.flatMap(({ source, target }) => {
    const way = relative(source, host);
    if (way === "" || way.startsWith("..")) return [];
    const path = join(target, way);
    return (nearest(view, path)?.target ?? "/") === target ? [path] : [];
  });
}

function cover(source: string, target: string, mayBind: boolean): ResolvedMount {
  const base = { target, path: "limits", create: false };
  if (!mayBind) return { ...base, type: "tmpfs" };
  return { ...base, type: "bind", source, readOnly: true, kind: "directory" };
}
