import { readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Config, Mount } from "@sandboxlib/core";

/** Where a path inside is on the host; undefined where it is not, or behind a symlink. */
export function hostPathOf(config: Config, path: string): string | undefined {
  const mount = mountAt(config, path);
  if (mount !== undefined && mount.type !== "bind") return undefined;
  const host =
    mount === undefined
      ? join(config.root, path)
      : join(mount.source, path.slice(mount.target.length));
  try {
    return realpathSync(host) === host.replace(/(?<=.)\/$/, "") ? host : undefined;
  } catch {
    return undefined;
  }
}

/** The mount in which a path lies; undefined for the root itself. Of several on one target the last one counts. */
export function mountAt({ mounts }: Config, path: string): Mount | undefined {
  let found: Mount | undefined;
  for (const mount of mounts)
    if (isIn(path, mount.target) && mount.target.length >= (found?.target.length ?? 0))
      found = mount;
  return found;
}

/** Whether the config lets the program write to a path. */
export function isWritable(config: Config, path: string): boolean {
  const { writable } = config;
  const mount = mountAt(config, path);
  if (writable !== "all") {
    const deepest = longest(writable.filter((each) => isIn(path, each)));
    if (deepest !== undefined && deepest.length >= (mount?.target.length ?? 0)) return true;
  }
  if (mount === undefined) return writable === "all";
  return mount.type === "tmpfs" || (mount.type === "bind" && !mount.readOnly);
}

/** Whether the config hides a path, or what it lies in. */
export function isHidden({ hidden }: Config, path: string): boolean {
  return hidden.some((each) => isIn(path, each));
}

/** The directories above a path, without `/`: the nearest first. */
export function above(path: string): string[] {
  const parent = dirname(path);
  return parent === "/" || parent === path ? [] : [parent, ...above(parent)];
}

/** Whether a path is another, or lies in it. */
export function isIn(path: string, directory: string): boolean {
  return directory === "/" || path === directory || path.startsWith(`${directory}/`);
}

/** A mount of the host: where, of which type, and what it calls its source. */
export interface HostMount {
  readonly at: string;
  readonly type: string;
  readonly from: string;
}

/** What is mounted on the host. */
export function hostMounts(): HostMount[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => {
      const [head = "", tail = ""] = line.split(" - ");
      const at = head
        .split(" ")[4]
        ?.replaceAll(/\\(\d{3})/g, (_, octal: string) =>
          String.fromCharCode(Number.parseInt(octal, 8)),
        );
      const [type, from] = tail.split(" ");
      return at === undefined || type === undefined ? [] : [{ at, type, from: from ?? "" }];
    });
}

function longest(paths: readonly string[]): string | undefined {
  return paths.toSorted((a, b) => b.length - a.length)[0];
}
