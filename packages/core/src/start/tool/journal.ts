import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HostCommand } from "../../host/host.js";
import { errnoOf } from "../../host/host.js";
import { fateOf, ownedName } from "../../host/owner.js";
import { namespaceOf } from "../../host/processes.js";
import { SandboxError } from "../../result/error.js";

/** A directory that is emptied at boot, as the mounts are gone then, too. Only root takes steps that outlive a process. */
const DIRECTORY = "/var/run/sandboxlib";

/** A file, named after its owner, with the steps of one run that have to be taken back. */
export interface Journal {
  /** Replaces the content. `pending` is the undo of a step that is just being taken. */
  write(undo: readonly HostCommand[], pending?: HostCommand): void;
  /** Leaves the steps to `gc`, although the owner is alive. */
  abandon(): void;
  remove(): void;
}

/** What a journal holds. */
export interface Entry {
  /** The mount namespace in which the steps were taken; null where there is none. */
  readonly mounts: number | null;
  /** In the order in which the steps were taken. */
  readonly undo: readonly HostCommand[];
  /** Takes back a step of which nobody knows whether it was taken. */
  readonly pending: HostCommand | null;
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

/** Whether only this user can write to the directory: `gc` runs the commands in it. */
function assertOurs(): void {
  const stat = lstatSync(DIRECTORY);
  if (stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0) return;
  throw new SandboxError("LAUNCH_FAILED", `${DIRECTORY} can be used by others than this user`, {
    hint: "Remove it; it is made again with the right permissions.",
  });
}
