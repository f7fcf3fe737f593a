import { lstatSync } from "node:fs";
import { join } from "node:path";
import type { ResolvedConfig, ResolvedMount } from "../backend/resolved-config.js";
import type { Need } from "../capability/capability.js";
import { type MountEntry, mountsOf } from "../host/mountinfo.js";
import { find, type Located, locate, nearest, type View, viewOf } from "./view.js";

/**
 * The other paths at which a file or directory of the host, or a part of it, can be seen inside, as far as mounts show.
 */
export function aliasesOf(view: View, target: string, host: string): Located[] {
  const ways = [
    { source: view.root, target: "/" },
    ...[...view.mounts.values()].flatMap((mount) =>
      mount.type === "bind" && mount.source !== "" ? [mount] : [],
    ),
  ];
  const found = new Map<string, Located>();
  for (const { name, original } of namesOf(host))
    for (const way of ways) {
      const path = moved(name, way.source, way.target);
      // A path below the target is covered by the same mount.
      if (path === undefined || moved(path, target, "/") !== undefined) continue;
      const at = seen(view, path);
      if (at?.host !== undefined && isSame(at.host, original)) found.set(path, at);
    }
  return [...found.values()];
}

/** Another path of the host, and the one at or below the given path that it is the same as. */
interface Name {
  readonly name: string;
  readonly original: string;
}

/** The names of a path of the host, and of what lies below it, in all mounts of the host. */
function namesOf(host: string): Name[] {
  const mounts = hostMounts();
  const own = mounts.findLast(({ at }) => moved(host, at, "/") !== undefined);
  const inside = own && moved(host, own.at, own.root);
  const shown = [
    ...(own === undefined || inside === undefined ? [] : [{ ...own, at: host, root: inside }]),
    ...mounts.filter(({ at }) => at !== host && moved(at, host, "/") !== undefined),
  ];
  return [
    { name: host, original: host },
    ...shown.flatMap(({ device, root, at }) =>
      mounts
        .filter((other) => other.device === device)
        .flatMap((other): Name[] => {
          const whole = moved(root, other.root, other.at);
          if (whole !== undefined) return [{ name: whole, original: at }];
          const part = moved(other.root, root, at);
          return part === undefined ? [] : [{ name: other.at, original: part }];
        }),
    ),
  ];
}

/** The mounts of the host, the deepest last. Without a procfs they are not known, and the list is empty. */
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
    return undefined; // This uid cannot reach it.
  }
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => lstatSync(path, { throwIfNoEntry: false }));
  return a !== undefined && a.dev === b?.dev && a.ino === b.ino;
}

/** Adds notes to the needs that protect a path: other ways to the same file, by hard links or by mounts that show it, too. */
export function withNotes(needs: readonly Need[], config: ResolvedConfig): Need[] {
  const view = viewOf(config);
  return needs.map((need) => {
    const notes = config.mounts
      .filter((mount) => protects(need, mount))
      .flatMap((mount) => notesOf(view, mount, config.rootReadOnly));
    // A file that is hidden at several paths would have the same note several times.
    return notes.length === 0 ? need : { ...need, notes: [...new Set(notes)] };
  });
}

function protects({ capability, path }: Need, mount: ResolvedMount): boolean {
  if (mount.type === "mask") return capability === "hidden";
  if (mount.type !== "bind" || !mount.readOnly) return false;
  return capability === "mount.bind.readOnly" && path === `${mount.path}.readOnly`;
}

function notesOf(view: View, mount: ResolvedMount, rootReadOnly: boolean): string[] {
  const { path, target, type } = mount;
  const host = type === "bind" ? mount.source : find(view, target, path, true).host;
  if (host === undefined) return [];
  const verb = type === "bind" ? "written to" : "read";
  const stat = lstatSync(host, { throwIfNoEntry: false });
  const links = stat?.isFile() === true ? stat.nlink - 1 : 0;
  return [
    ...(links > 0
      ? [`${path} has ${links + 1} hard links: it can be ${verb} by one that is visible inside`]
      : []),
    ...aliasesOf(view, target, host)
      .filter((at) => type === "mask" || isWritable(view, at.path, rootReadOnly))
      .map((at) => `${path} can be ${verb} as ${JSON.stringify(at.path)}`),
  ];
}

function isWritable(view: View, path: string, rootReadOnly: boolean): boolean {
  const mount = view.mounts.get(path) ?? nearest(view, path);
  return mount === undefined ? !rootReadOnly : mount.type === "bind" && !mount.readOnly;
}
