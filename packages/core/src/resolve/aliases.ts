import { lstatSync } from "node:fs";
import { join } from "node:path";
import { type MountEntry, mountsOf } from "../host/mountinfo.js";
import { type Located, locate, type View } from "./view.js";

/** The other paths at which a file or directory of the host can be seen inside, as far as mounts show. */
export function aliasesOf(view: View, target: string, host: string): Located[] {
  const ways = [
    { source: view.root, target: "/" },
    ...[...view.mounts.values()].flatMap((mount) =>
      mount.type === "bind" && mount.source !== "" ? [mount] : [],
    ),
  ];
  const paths = namesOf(host).flatMap((name) =>
    ways.flatMap((way) => moved(name, way.source, way.target) ?? []),
  );
  return [...new Set(paths)].flatMap((path) => {
    const at = path === target ? undefined : seen(view, path);
    return at?.host !== undefined && isSame(at.host, host) ? [at] : [];
  });
}

/** A path of the host, and those of the same file in other mounts of the host. */
function namesOf(host: string): string[] {
  const mounts = hostMounts();
  const own = mounts.findLast(({ at }) => moved(host, at, "/") !== undefined);
  const inside = own && moved(host, own.at, own.root);
  if (inside === undefined) return [host];
  const others = mounts.filter(({ device }) => device === own?.device);
  return [host, ...others.flatMap(({ root, at }) => moved(inside, root, at) ?? [])];
}

/** Deeper ones last; none without procfs, as nobody knows then. */
function hostMounts(): MountEntry[] {
  const entries = mountsOf("self")?.entries ?? [];
  return entries.toSorted((a, b) => a.at.length - b.at.length);
}

/** The path below one directory, below another; undefined when it lies elsewhere. */
function moved(path: string, from: string, to: string): string | undefined {
  if (path === from) return to;
  const prefix = from === "/" ? "/" : `${from}/`;
  return path.startsWith(prefix) ? join(to, path.slice(prefix.length)) : undefined;
}

function seen(view: View, path: string): Located | undefined {
  try {
    const at = locate(view, path);
    return at.path === path ? at : undefined;
  } catch {
    return undefined; // Nobody of this uid can reach it.
  }
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => lstatSync(path, { throwIfNoEntry: false }));
  return a !== undefined && a.dev === b?.dev && a.ino === b.ino;
}
