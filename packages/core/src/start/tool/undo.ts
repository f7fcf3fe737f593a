import { lstatSync, realpathSync, rmdirSync, unlinkSync } from "node:fs";
import { normalize } from "node:path";
import type { Undo } from "../../backend/plan.js";
import {
  errnoOf,
  type HostCommand,
  realHost,
  runHostCommand,
  runHostCommandNow,
} from "../../host/host.js";

/** Whether this is something that can be taken back: a journal may be damaged, or written by somebody else. */
export function isUndo(value: unknown): value is Undo {
  if (typeof value !== "object" || value === null || Object.keys(value).length !== 2) return false;
  const { kind, path } = value as Partial<Record<keyof Undo, unknown>>;
  return (kind === "unmount" || kind === "remove") && typeof path === "string" && isPlain(path);
}

/** Absolute, not the root, and without `.`, `..`, a NUL byte or a slash too many. */
function isPlain(path: string): boolean {
  const isWhole = path.startsWith("/") && path.length > 1 && !path.includes("\0");
  return isWhole && normalize(path) === path && !path.endsWith("/");
}

/** The command that would do it, to be shown and, for a mount, to be run. */
export function commandOf({ kind, path }: Undo): HostCommand {
  return kind === "unmount" ? [realHost().which("umount") ?? "/bin/umount", path] : ["rm", path];
}

/** Takes a step back. Undefined when it worked, else the reason. */
export async function takeBack(undo: Undo): Promise<string | undefined> {
  const moved = whyMoved(undo);
  if (moved !== undefined) return moved;
  return undo.kind === "remove" ? remove(undo.path) : runHostCommand(commandOf(undo));
}

/** As {@link takeBack}, for a caller that cannot wait. It blocks the event loop. */
export function takeBackNow(undo: Undo): string | undefined {
  const moved = whyMoved(undo);
  if (moved !== undefined) return moved;
  return undo.kind === "remove" ? remove(undo.path) : runHostCommandNow(commandOf(undo));
}

/** A program that ran in the root may have put a symlink on the way, which umount(8) would follow out of the root. */
function whyMoved({ kind, path }: Undo): string | undefined {
  const way = kind === "unmount" ? path : path.slice(0, path.lastIndexOf("/")) || "/";
  try {
    return realpathSync(way) === way ? undefined : `there is a symlink on the way to it`;
  } catch (error) {
    return kind === "remove" && errnoOf(error) === "ENOENT" ? undefined : errnoOf(error);
  }
}

function remove(path: string): string | undefined {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) rmdirSync(path);
    else if (stat !== undefined) unlinkSync(path);
    return undefined;
  } catch (error) {
    return errnoOf(error);
  }
}
