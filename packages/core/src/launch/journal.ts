import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SandboxError } from "../result/error.js";
import type { HostCommand } from "./host-command.js";
import { startTimeOf } from "./processes.js";

/** Emptied at boot, like the mounts that it speaks of. Only root takes steps that outlive a process. */
const DIRECTORY = "/var/run/sandboxlib";

/** What one run has to take back, on disk. */
export interface Journal {
  /** Replaces what is written. `pending` takes back a step that is just being taken. */
  write(undo: readonly HostCommand[], pending?: HostCommand): void;
  remove(): void;
}

/** What a journal holds. */
export interface Entry {
  readonly pid: number;
  /** The start time of the process, which tells it from a later one with the same pid; null where it is not known. */
  readonly started: string | null;
  /** In the order in which the steps were taken. */
  readonly undo: readonly HostCommand[];
  /** Takes back a step of which nobody knows whether it was taken. */
  readonly pending: HostCommand | null;
}

let counter = 0;

/** @throws SandboxError `LAUNCH_FAILED` when the directory is not ours alone. */
export function openJournal(): Journal {
  mkdirSync(DIRECTORY, { recursive: true, mode: 0o700 });
  assertOurs();
  counter += 1;
  const path = join(DIRECTORY, `${process.pid}-${counter}.json`);
  return {
    write(undo, pending) {
      const started = startTimeOf(process.pid) ?? null;
      const entry: Entry = { pid: process.pid, started, undo, pending: pending ?? null };
      writeFileSync(`${path}.new`, JSON.stringify(entry), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    },
    remove: () => rmSync(path, { force: true }),
  };
}

/** The journals of all runs on this host, those of live processes included, as paths. */
export function journals(): string[] {
  const owner = lstatSync(DIRECTORY, { throwIfNoEntry: false })?.uid;
  // Root's are none of another user's business.
  if (owner === undefined || (owner === 0 && process.getuid?.() !== 0)) return [];
  assertOurs();
  return readdirSync(DIRECTORY)
    .filter((name) => name.endsWith(".json"))
    .map((name) => join(DIRECTORY, name));
}

/** What lies in it is run, so nobody else may write to it. */
function assertOurs(): void {
  const stat = lstatSync(DIRECTORY);
  if (stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0) return;
  throw new SandboxError("LAUNCH_FAILED", `${DIRECTORY} can be used by others than this user`, {
    hint: "Remove it; it is made again with the right permissions.",
  });
}
