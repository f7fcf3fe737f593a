import { dirname } from "node:path";
import type { Mirror } from "../backend/resolved-config.js";
import { find, invalid, nearest, type View } from "./view.js";

/** A mount whose mount point does not exist yet. */
export interface Missing {
  readonly target: string;
  /** The field that names it. */
  readonly field: string;
  /** What it says. */
  readonly value: string;
}

/**
 * The directories that a mirror has to cover so that missing mount points can be made without touching them.
 *
 * @param rootReadOnly - Whether what no mount covers is read-only.
 * @throws SandboxError `PATH_INVALID` for one in a writable directory, where a mirror would swallow what is written.
 */
export function mirrorsFor(
  view: View,
  missing: readonly Missing[],
  rootReadOnly: boolean,
): Mirror[] {
  const mirrors = new Map<string, Mirror>();
  for (const each of missing) {
    const parent = existingParent(view, each);
    if (parent === undefined) continue;
    const cover = view.mounts.get(parent) ?? nearest(view, parent);
    const isReadOnly = cover?.type === "bind" ? cover.readOnly : rootReadOnly;
    if (!isReadOnly) throw inWritable(each, parent);
    if (!mirrors.has(parent)) mirrors.set(parent, { target: parent, path: each.field });
  }
  return [...mirrors.values()];
}

/** The deepest directory above that exists on the host; undefined where everything is in memory. */
function existingParent(view: View, { target, field, value }: Missing): string | undefined {
  for (let above = dirname(target); ; above = dirname(above)) {
    const at = find(view, above, field);
    if (at.kind === "memory") return undefined;
    if (at.kind === "file") throw invalid(field, value, `lies below ${above}, which is a file`);
    if (at.kind === "directory") return at.host === undefined ? undefined : at.path;
  }
}

function inWritable({ field, value }: Missing, parent: string): Error {
  const message = `does not exist, and ${parent} is writable: what the program writes there would go astray`;
  return invalid(field, value, message, HINT_TARGET);
}

/** What to do about a mount point that is not there. */
export const HINT_TARGET =
  "Create it in the root, or leave the mount out: `defaultMounts: false` leaves out those on /proc, /dev and /tmp.";
