import { existsSync, readFileSync } from "node:fs";
import { removeStaleCgroups } from "./cgroup/stale.js";
import { type HostCommand, runHostCommand } from "./host/host.js";
import { claim, type Entry, type Found, journals, mountNamespace } from "./start/tool/journal.js";

/** What `gc` did. */
export interface GarbageCollected {
  /** The commands that took something back. */
  readonly undone: readonly string[];
  /** Those that failed, each with the reason; they are tried again next time. */
  readonly failed: readonly string[];
  /** What to decide on, each with the reason: it may have been taken back already, or be in use. */
  readonly unsure: readonly string[];
}

interface Done {
  readonly undone: string[];
  readonly failed: string[];
  readonly unsure: string[];
}

/**
 * Takes back what runs of dead processes have left on the host. Runs that are still going on are left alone, and so are
 * those of other pid and mount namespaces.
 *
 * @throws SandboxError `LAUNCH_FAILED` when the journal's directory is not ours alone.
 */
export async function gc(): Promise<GarbageCollected> {
  const done: Done = { undone: [], failed: [], unsure: [] };
  for (const found of journals()) await collect(found, done);
  const cgroups = await removeStaleCgroups();
  return {
    undone: [...done.undone, ...cgroups.removed.map((path) => `rmdir ${path}`)],
    failed: [...done.failed, ...cgroups.failed],
    unsure: done.unsure,
  };
}

async function collect({ path, fate }: Found, { undone, failed, unsure }: Done): Promise<void> {
  const entry = fate === "alive" ? undefined : read(path);
  if (entry === undefined) return;
  const { undo, pending } = entry;
  if (fate === "unknown" || entry.mounts !== mountNamespace()) {
    unsure.push(elsewhere(path, entry));
    return;
  }
  const journal = claim(path);
  if (journal === undefined) return;
  const [left, stuck]: [HostCommand[], HostCommand[]] = [[...undo], []];
  for (let argv = left.pop(); argv !== undefined; argv = left.pop()) {
    const failure = await runHostCommand(argv);
    if (failure === undefined) undone.push(argv.join(" "));
    else {
      failed.push(`${argv.join(" ")}: ${failure}`);
      stuck.unshift(argv);
    }
    journal.write([...left, ...stuck], pending ?? undefined);
  }
  if (stuck.length > 0) return journal.abandon();
  if (pending !== null) unsure.push(`${pending.join(" ")}: ${HALF_TAKEN}`);
  journal.remove();
}

const HALF_TAKEN =
  "a run died just before or after what this takes back; look whether it is there, and whose it is";

/** What lies there may be in use, and the same path means something else here. */
function elsewhere(path: string, { undo, pending }: Entry): string {
  const commands = [...undo, ...(pending === null ? [] : [pending])].map((argv) => argv.join(" "));
  return `${path}: of a process in another pid or mount namespace, or of an earlier version; run \`sandboxlib gc\` where it was started, or remove the file when that is gone. It would take back: ${commands.reverse().join("; ")}`;
}

function read(path: string): Entry | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Entry;
  } catch (error) {
    if (existsSync(path)) throw error;
    return undefined; // Its run has removed it, or another call.
  }
}
