import { lstatSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { runHostCommand } from "../../host/host.js";
import { fateOf } from "../../host/owner.js";
import { commandIn } from "./end-script.js";
import { ABANDONED, clearSlowly, isOurs, OWN_BASE, running, SCRIPT, tryTo } from "./own-removal.js";

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
  { undone, failed }: StaleRuns,
  dryRun: boolean,
): Promise<void> {
  const script = `${path}${SCRIPT}`;
  if (lstatSync(script, { throwIfNoEntry: false }) !== undefined) {
    const command = commandIn(script);
    const failure = dryRun ? undefined : await runHostCommand(running(script));
    // Whoever else collects it may have removed the script just then.
    if (failure !== undefined && lstatSync(script, { throwIfNoEntry: false }) !== undefined) {
      failed.push(`${command}: ${failure}`);
      return;
    }
    undone.push(command);
  }
  const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  try {
    if (!dryRun) await clearSlowly(path);
    if (isThere) undone.push(`rm -r ${path}`);
  } catch (error) {
    failed.push(`rm -r ${path}: ${String(error)}`);
  }
}
