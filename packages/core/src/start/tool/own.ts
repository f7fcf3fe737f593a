import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OWN_DIRECTORY, OWN_NAME, type OwnEntry, type ToolPlan } from "../../backend/plan.js";
import { errnoOf, type HostCommand } from "../../host/host.js";
import { ownedName } from "../../host/owner.js";
import { SandboxError } from "../../result/error.js";
import { endScript } from "./end-script.js";
import {
  clear,
  OWN_BASE,
  openBase,
  type Removal,
  removalOf,
  SCRIPT,
  tryTo,
  UNFINISHED,
} from "./own-removal.js";
import type { WatchedScript } from "./watchdog.js";

/** What a run has on the host, or elsewhere, beside its processes. */
export interface Own extends Removal {
  /** The plan in the words of this run. */
  readonly plan: ToolPlan;
  /** The directories of the host that are bound in the place of a tmpfs, by target. */
  readonly tmpfs: ReadonlyMap<string, string>;
}

/**
 * Makes what a plan asks for. Each file bears the name of its owner, and so is its own journal: from the moment when it is
 * there, `gc` can tell whose it is.
 *
 * @param willMake - Is told of the script that ends what is elsewhere, before its file is there: `gc` runs none.
 * @throws SandboxError `LAUNCH_FAILED`; nothing is left then. `BACKEND_INVALID` for an `end` that could not be run.
 */
export function openOwn(
  plan: ToolPlan,
  backend: string,
  willMake: (script: WatchedScript) => void,
): Own {
  const { ownDirectory, end } = plan;
  if (ownDirectory === undefined && end === undefined) return { ...NOTHING, plan };
  const name = ownedName();
  const path = join(OWN_BASE, name);
  const own = inWordsOf(plan, path, name);
  const text = own.end && endScript(own.end, own.env, backend, own.endWhile);
  const script = text === undefined ? undefined : { file: `${path}${SCRIPT}`, text };
  if (script !== undefined) willMake(script);
  try {
    begin(path, text, ownDirectory !== undefined);
    for (const entry of ownDirectory ?? []) make(path, entry);
  } catch (cause) {
    tryTo(() => clear(path)); // `gc` names what stays.
    throw notMade(path, cause);
  }
  return {
    plan: own,
    tmpfs: tmpfsIn(path, ownDirectory),
    ...removalOf(path, text, own.endWhile),
  };
}

const NOTHING = {
  tmpfs: new Map<string, string>(),
  remove: async () => undefined,
  removeNow: () => undefined,
};
const TRIES = 100;

/** Another run that ends may remove the common directory just then, as it is empty. */
function begin(path: string, script: string | undefined, hasDirectory: boolean): void {
  for (let left = TRIES; ; left -= 1) {
    try {
      openBase();
      if (script !== undefined) {
        // It is whole when it has its name.
        writeFileSync(`${path}${UNFINISHED}`, script, { mode: 0o600, flag: "wx" });
        renameSync(`${path}${UNFINISHED}`, `${path}${SCRIPT}`);
      }
      if (hasDirectory) mkdirSync(path, { mode: 0o700 });
      return;
    } catch (error) {
      if (errnoOf(error) !== "ENOENT" || left === 0) throw error;
    }
  }
}

function make(path: string, entry: OwnEntry): void {
  const at = join(path, entry.path);
  if (!at.startsWith(`${path}/`)) throw new Error(`${JSON.stringify(entry.path)} leads out of it`);
  if (entry.type === "directory") mkdirSync(at, { mode: 0o700 });
  else writeFileSync(at, entry.data, { mode: 0o600, flag: "wx" });
  chmodSync(at, entry.mode);
}

function notMade(path: string, cause: unknown): SandboxError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SandboxError("LAUNCH_FAILED", `${path} cannot be made for this run: ${why}`, {
    hint: `${OWN_BASE} has to be a directory of this user's alone, with room. Where it is missing it is made.`,
    cause,
  });
}

function inWordsOf(plan: ToolPlan, path: string, name: string): ToolPlan {
  const word = (text: string): string =>
    text.replaceAll(OWN_DIRECTORY, path).replaceAll(OWN_NAME, name);
  const words = ([first, ...rest]: HostCommand): HostCommand => [word(first), ...rest.map(word)];
  const env = Object.fromEntries(
    Object.entries(plan.env).map(([variable, value]) => [variable, word(value)]),
  );
  const { end, endWhile } = plan;
  return {
    ...plan,
    argv: words(plan.argv),
    env,
    ...(end && { end: words(end) }),
    ...(endWhile !== undefined && { endWhile: word(endWhile) }),
  };
}

function tmpfsIn(path: string, entries: readonly OwnEntry[] = []): Map<string, string> {
  return new Map(
    entries.flatMap((entry): [string, string][] =>
      entry.type === "directory" && entry.tmpfs !== undefined
        ? [[entry.tmpfs, join(path, entry.path)]]
        : [],
    ),
  );
}
