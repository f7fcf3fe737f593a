import { readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Undo } from "./backend/plan.js";
import { CGROUP_PREFIX, killAll } from "./cgroup/group.js";
import { hierarchies } from "./cgroup/hierarchy.js";
import { checkKinds, KINDS } from "./config/kinds.js";
import { errnoOf } from "./host/host.js";
import { fateOf } from "./host/owner.js";
import {
  claim,
  type Entry,
  type Found,
  journals,
  mountNamespace,
  readJournal,
} from "./start/tool/journal.js";
import { removeStaleRuns } from "./start/tool/stale-runs.js";
import { commandOf, takeBack } from "./start/tool/undo.js";

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

/** What {@link gc} does. */
export interface GcOptions {
  /** Whether nothing is taken back: `undone` then says what would be. Default: no. */
  readonly dryRun?: boolean;
}

/**
 * Takes back what runs of dead processes have left on the host. Runs that are still going on are left alone, and so are
 * those of other pid and mount namespaces.
 *
 * @throws SandboxError `CONFIG_INVALID` for an option that there is not, `LAUNCH_FAILED` when the journal's directory is not
 * ours alone.
 */
export async function gc(options: GcOptions = {}): Promise<GarbageCollected> {
  checkKinds(options, { dryRun: KINDS.flag });
  const { dryRun = false } = options;
  const done: Done = { undone: [], failed: [], unsure: [] };
  for (const found of journals()) await collect(found, done, dryRun);
  await removeStaleRuns(done, dryRun);
  const cgroups = await removeStaleCgroups(dryRun);
  return {
    undone: [...done.undone, ...cgroups.removed.map((path) => `rmdir ${path}`)],
    failed: [...done.failed, ...cgroups.failed],
    unsure: done.unsure,
  };
}

async function collect({ path, fate }: Found, done: Done, dryRun: boolean): Promise<void> {
  if (fate === "alive") return;
  const entry = readJournal(path);
  if (entry === "damaged") done.unsure.push(`${path}: ${DAMAGED}`);
  else if (entry !== undefined) await takeBackAll(path, fate, entry, done, dryRun);
}

const DAMAGED =
  "it is damaged, or no journal of this version, so nothing of it is taken back; look what it names, and remove it";

async function takeBackAll(
  path: string,
  fate: Found["fate"],
  entry: Entry,
  { undone, failed, unsure }: Done,
  dryRun: boolean,
): Promise<void> {
  const { undo, pending } = entry;
  if (fate === "unknown" || entry.mounts !== mountNamespace()) {
    unsure.push(elsewhere(path, entry));
    return;
  }
  if (dryRun) {
    undone.push(...undo.toReversed().map(said));
    return;
  }
  const journal = claim(path);
  if (journal === undefined) return;
  const [left, stuck]: [Undo[], Undo[]] = [[...undo], []];
  for (let last = left.pop(); last !== undefined; last = left.pop()) {
    const failure = await takeBack(last);
    if (failure === undefined) undone.push(said(last));
    else {
      failed.push(`${said(last)}: ${failure}`);
      stuck.unshift(last);
    }
    journal.write([...left, ...stuck], pending ?? undefined);
  }
  if (stuck.length > 0) return journal.abandon();
  if (pending !== null) unsure.push(`${said(pending)}: ${HALF_TAKEN}`);
  journal.remove();
}

function said(undo: Undo): string {
  return commandOf(undo).join(" ");
}

const HALF_TAKEN =
  "a run died just before or after what this takes back; look whether it is there, and whose it is";

/** What lies there may be in use, and the same path means something else here. */
function elsewhere(path: string, { undo, pending }: Entry): string {
  const commands = [...undo, ...(pending === null ? [] : [pending])].map(said);
  return `${path}: of a process in another pid or mount namespace, or of an earlier version; run \`sandboxlib gc\` where it was started, or remove the file when that is gone. It would take back: ${commands.reverse().join("; ")}`;
}

/** What became of cgroups that dead processes have left. */
interface StaleCgroups {
  readonly removed: readonly string[];
  /** Each with the reason. */
  readonly failed: readonly string[];
}

/**
 * Kills what is left in the cgroups of dead processes, and removes them. They are looked for wherever cgroups are, as
 * nobody knows where a process that is gone has made them; those of others that this user cannot remove are left alone.
 */
async function removeStaleCgroups(dryRun: boolean): Promise<StaleCgroups> {
  const removed: string[] = [];
  const failed: string[] = [];
  for (const mount of new Set(hierarchies().map((hierarchy) => hierarchy.mount)))
    for (const path of await staleIn(mount)) {
      if (dryRun) {
        removed.push(path);
        continue;
      }
      killAll([path]);
      const errno = await remove(path);
      if (errno === undefined) removed.push(path);
      else if (errno !== "ENOENT" && errno !== "EACCES" && errno !== "EPERM" && errno !== "EROFS")
        failed.push(`rmdir ${path}: ${errno}`);
    }
  return { removed, failed };
}

async function staleIn(directory: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await subdirectories(directory)) {
    const path = join(directory, name);
    found.push(...(await staleIn(path)));
    if (isStale(name)) found.push(path);
  }
  return found;
}

async function subdirectories(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

/** What was just killed is still there for a moment. */
async function remove(path: string): Promise<string | undefined> {
  for (let tries = 0; ; tries += 1) {
    try {
      await rmdir(path);
      return undefined;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== "EBUSY" || tries >= TRIES) return errno;
    }
    await setTimeout(50);
    killAll([path]);
  }
}

const TRIES = 20;

/** Whether a directory is a cgroup of a process that is gone. */
function isStale(name: string): boolean {
  return name.startsWith(CGROUP_PREFIX) && fateOf(name.slice(CGROUP_PREFIX.length)) === "gone";
}
