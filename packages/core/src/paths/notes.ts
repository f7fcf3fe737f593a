import { lstatSync } from "node:fs";
import type { ResolvedConfig, ResolvedMount } from "../backend/resolved-config.js";
import type { Need } from "../capability/capability.js";
import { aliasesOf } from "./aliases.js";
import { find } from "./lookup.js";
import { nearest, type View, viewOf } from "./view.js";

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
