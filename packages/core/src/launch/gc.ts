import { existsSync, readFileSync, rmSync } from "node:fs";
import { collectGroups } from "../cgroup/remains.js";
import { runHostCommand } from "./host-command.js";
import { type Entry, journals } from "./journal.js";
import { startTimeOf } from "./processes.js";

/** What `gc` did. */
export interface GarbageCollected {
  /** The commands that took something back. */
  readonly undone: readonly string[];
  /** Those that failed, each with the reason; they are tried again next time. */
  readonly failed: readonly string[];
  /** Commands to decide on: their run died in the middle of a step, and what is there now may be somebody else's. */
  readonly unsure: readonly string[];
}

/**
 * Takes back what runs of dead processes have left on the host. Runs that are still going on are left alone.
 *
 * @throws SandboxError `LAUNCH_FAILED` when the journal's directory is not ours alone.
 */
export function gc(): GarbageCollected {
  const undone: string[] = [];
  const failed: string[] = [];
  const unsure: string[] = [];
  for (const path of journals()) {
    const entry = read(path);
    if (entry === undefined || isAlive(entry)) continue;
    const failures = entry.undo.toReversed().flatMap((argv) => {
      const failure = runHostCommand(argv);
      if (failure === undefined) undone.push(argv.join(" "));
      return failure === undefined ? [] : [`${argv.join(" ")}: ${failure}`];
    });
    // Another call has taken it back meanwhile, and what was to be taken back was not there any more.
    if (!existsSync(path)) continue;
    failed.push(...failures);
    if (failures.length > 0) continue;
    if (entry.pending !== null) unsure.push(entry.pending.join(" "));
    rmSync(path, { force: true });
  }
  const cgroups = collectGroups();
  return {
    undone: [...undone, ...cgroups.removed.map((path) => `rmdir ${path}`)],
    failed: [...failed, ...cgroups.failed],
    unsure,
  };
}

function read(path: string): Entry | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Entry;
  } catch (error) {
    if (existsSync(path)) throw error;
    return undefined; // Its run has removed it, or another call.
  }
}

function isAlive({ pid, started }: Entry): boolean {
  if (started !== null) return startTimeOf(pid) === started;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
