import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Undo } from "../../backend/plan.js";
import { contentOf, errnoOf } from "../../host/host.js";
import { fateOf, ownedName } from "../../host/owner.js";
import { namespaceOf } from "../../host/processes.js";
import { SandboxError } from "../../result/error.js";
import { isUndo } from "./undo.js";

/** A directory that is emptied at boot, as the mounts are gone then, too. Only root takes steps that outlive a process. */
const DIRECTORY = "/var/run/sandboxlib";

/** A file, named after its owner, with the steps of one run that have to be taken back. */
export interface Journal {
  /** Replaces the content. `pending` is the undo of a step that is just being taken. */
  write(undo: readonly Undo[], pending?: Undo): void;
  /** Leaves the steps to `gc`, although the owner is alive. */
  abandon(): void;
  remove(): void;
}

/** What a journal holds. */
export interface Entry {
  /** The mount namespace in which the steps were taken; null where there is none. */
  readonly mounts: number | null;
  /** In the order in which the steps were taken. */
  readonly undo: readonly Undo[];
  /** Takes back a step of which nobody knows whether it was taken. */
  readonly pending: Undo | null;
}

/**
 * Reads a journal; undefined when it is gone: its run has removed it, or another call. `damaged` is what holds anything
 * else than what can be taken back.
 */
export function readJournal(path: string): Entry | "damaged" | undefined {
  const text = contentOf(path);
  if (text === undefined && !existsSync(path)) return undefined;
  try {
    const { mounts, undo, pending } = JSON.parse(text ?? "") as Partial<
      Record<keyof Entry, unknown>
    >;
    const isWhole =
      (mounts === null || typeof mounts === "number") &&
      Array.isArray(undo) &&
      undo.every(isUndo) &&
      (pending === null || isUndo(pending));
    return isWhole ? { mounts, undo, pending } : "damaged";
  } catch {
    return "damaged";
  }
}

/** @throws SandboxError `LAUNCH_FAILED` when the directory is not ours alone. */
export function openJournal(): Journal {
  mkdirSync(DIRECTORY, { recursive: true, mode: 0o700 });
  assertOurs();
  return journalAt(join(DIRECTORY, ownedName()));
}

/** Makes a journal that another process has left this one's own; undefined when somebody else was first. */
export function claim(path: string): Journal | undefined {
  const own = join(DIRECTORY, ownedName());
  try {
    renameSync(path, `${own}.json`);
    return journalAt(own);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function journalAt(path: string): Journal {
  const file = `${path}.json`;
  return {
    write(undo, pending) {
      const entry: Entry = { mounts: mountNamespace(), undo, pending: pending ?? null };
      writeFileSync(`${path}.new`, JSON.stringify(entry), { mode: 0o600 });
      renameSync(`${path}.new`, file);
    },
    abandon: () => renameSync(file, `${path}${ABANDONED}`),
    remove: () => rmSync(file, { force: true }),
  };
}

const ABANDONED = ".abandoned.json";

/** The mount namespace of this process. */
export function mountNamespace(): Entry["mounts"] {
  return namespaceOf("self", "mnt") ?? null;
}

/** A journal on this host. */
export interface Found {
  readonly path: string;
  readonly fate: ReturnType<typeof fateOf>;
}

/** The journals of all runs on this host; of those that live, only what they have abandoned is not `alive`. */
export function journals(): Found[] {
  const owner = lstatSync(DIRECTORY, { throwIfNoEntry: false })?.uid;
  // Root's are none of another user's business.
  if (owner === undefined || (owner === 0 && process.getuid?.() !== 0)) return [];
  assertOurs();
  return readdirSync(DIRECTORY).flatMap((name) => {
    const path = join(DIRECTORY, name);
    const fate = fateOf(name.split(".", 1)[0] ?? "");
    // Its writer died before it renamed the file, and so before it took the first step.
    if (name.endsWith(".new") && fate === "gone") rmSync(path, { force: true });
    if (!name.endsWith(".json")) return [];
    return [{ path, fate: fate === "alive" && name.endsWith(ABANDONED) ? "gone" : fate }];
  });
}

/** Whether only this user can write to the directory: `gc` unmounts and removes what it names. */
function assertOurs(): void {
  const stat = lstatSync(DIRECTORY);
  if (stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0) return;
  throw new SandboxError("LAUNCH_FAILED", `${DIRECTORY} can be used by others than this user`, {
    hint: "Remove it; it is made again with the right permissions.",
  });
}
