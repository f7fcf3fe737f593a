import { lstatSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { fateOf } from "../../host/owner.js";
import { ABANDONED, clearSlowly, isOurs, OWN_BASE, SCRIPT, tryTo } from "./own-removal.js";

/** What `gc` did with what dead runs had left. */
export interface StaleRuns {
  readonly undone: string[];
  readonly failed: string[];
  readonly unsure: string[];
}

/**
 * Ends and removes what runs of dead processes have left.
 *
 * @param dryRun - Whether it is only said what would be done.
 */
export async function removeStaleRuns(done: StaleRuns, dryRun: boolean): Promise<void> {
  if (!isOurs()) return;
  const runs = new Map<string, "gone" | "unknown">();
  for (const file of readdirSync(OWN_BASE)) {
    const [name = "", ...rest] = file.split(".");
    const fate = fateOf(name);
    const isAbandoned = `.${rest[0]}` === ABANDONED;
    if (fate !== "alive" || isAbandoned)
      runs.set(
        join(OWN_BASE, isAbandoned ? `${name}${ABANDONED}` : name),
        fate === "unknown" ? fate : "gone",
      );
  }
  for (const [path, fate] of runs) {
    if (fate === "unknown") done.unsure.push(`${path}: ${UNKNOWN}`);
    else await collect(path, done, dryRun);
  }
  if (dryRun) return;
  tryTo(() => rmdirSync(OWN_BASE));
}

const UNKNOWN =
  "of a process in another pid namespace; run `sandboxlib gc` where it was started, or remove it when that is gone";

async function collect(
  path: string,
  { undone, failed, unsure }: StaleRuns,
  dryRun: boolean,
): Promise<void> {
  if (lstatSync(`${path}${SCRIPT}`, { throwIfNoEntry: false }) !== undefined) {
    unsure.push(`${path}${SCRIPT}: ${NOT_RUN}`);
    return;
  }
  const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  try {
    if (!dryRun) await clearSlowly(path);
    if (isThere) undone.push(`rm -r ${path}`);
  } catch (error) {
    failed.push(`rm -r ${path}: ${String(error)}`);
  }
}

const NOT_RUN =
  "it ends what a run has started elsewhere, and is not run, since a program in a sandbox may have written it; read it, run it with sh, and remove it";
