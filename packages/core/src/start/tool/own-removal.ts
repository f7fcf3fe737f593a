import { lstatSync, mkdirSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import {
  errnoOf,
  type HostCommand,
  realHost,
  runHostCommand,
  runHostCommandNow,
} from "../../host/host.js";
import { mountsOf } from "../../host/mountinfo.js";
import { removeTree, removeTreeSlowly } from "../../host/remove-tree.js";
import { SandboxError } from "../../result/error.js";
import { commandIn } from "./end-script.js";

/**
 * Where runs have their own directories: on a disk, as what a program writes there may be large; in a place that a sandbox
 * is seldom given; and whatever the environment says, so that `gc` looks there, too. It is there only as long as it is
 * needed.
 */
export const OWN_BASE: string = `/var/tmp/sandboxlib-${process.getuid?.()}`;

/** What follows the name of a run: its script, and the same before it is whole. */
export const SCRIPT = ".end";
export const UNFINISHED = ".new";
/** What its living owner could not remove. */
export const ABANDONED = ".abandoned";

/** Removes what a run has. */
export interface Removal {
  /**
   * Ends what is elsewhere, and removes the directory.
   *
   * @throws SandboxError `CLEANUP_FAILED`; what is left is for `gc`.
   */
  readonly remove: () => Promise<void>;
  /** The same at once, for a start that failed: nothing has to be ended where the tool had not begun. */
  readonly removeNow: (hasBegun: boolean) => void;
}

/** @throws an error when others than this user can use the directory. */
export function openBase(): void {
  mkdirSync(OWN_BASE, { recursive: true, mode: 0o700 });
  if (!isOurs()) throw new Error(`${OWN_BASE} can be used by others than this user`);
}

/** Whether there is one that only this user can write to, and so what this user starts in a sandbox that shows it. */
export function isOurs(): boolean {
  const stat = lstatSync(OWN_BASE, { throwIfNoEntry: false });
  return (
    stat?.isDirectory() === true && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0
  );
}

/**
 * The removal of what a run has at a path.
 *
 * @param script - Its text. A program that may write where the script lies could have changed that.
 * @param endWhile - Where this is gone, the script has nothing to do.
 */
export function removalOf(
  path: string,
  script: string | undefined,
  endWhile: string | undefined,
): Removal {
  const failed = (what: string, why: string): SandboxError => {
    for (const each of [SCRIPT, ""])
      tryTo(() => renameSync(`${path}${each}`, `${path}${ABANDONED}${each}`));
    return new SandboxError("CLEANUP_FAILED", `${what}: ${why}`, {
      hint: "Find out what is in its way, then run `sandboxlib gc`.",
    });
  };
  let removing: Promise<void> | undefined;
  const remove = async (): Promise<void> => {
    const isOver = script === undefined || isGone(endWhile);
    const failure = isOver ? undefined : await runHostCommand(running(script));
    if (failure !== undefined) throw failed(commandIn(script ?? ""), failure);
    rmSync(`${path}${SCRIPT}`, { force: true });
    try {
      await clearSlowly(path);
    } catch (error) {
      throw failed(path, String(error));
    }
  };
  return {
    remove() {
      removing ??= remove();
      return removing;
    },
    removeNow(hasBegun) {
      const isOver = script === undefined || !hasBegun || isGone(endWhile);
      const failure = isOver ? undefined : runHostCommandNow(running(script));
      if (failure !== undefined) throw failed(commandIn(script ?? ""), failure);
      rmSync(`${path}${SCRIPT}`, { force: true });
      try {
        clear(path);
      } catch (error) {
        throw failed(path, String(error));
      }
    },
  };
}

function isGone(path: string | undefined): boolean {
  return path !== undefined && lstatSync(path, { throwIfNoEntry: false }) === undefined;
}

/** What runs a script. */
function running(script: string): HostCommand {
  return [realHost().which("sh") ?? "/bin/sh", "-c", script];
}

/** Removes the files of a run that never began. */
export function clear(path: string): void {
  assertNothingMounted(path);
  removeTree(path);
  clearFiles(path);
}

/** Removes the files of a run that has ended. */
export async function clearSlowly(path: string): Promise<void> {
  assertNothingMounted(path);
  for (let left = TRIES; ; left -= 1) {
    try {
      await removeTreeSlowly(path);
      break;
    } catch (error) {
      // A process that is just dying, or another `gc`, may still be at work in there.
      if (left === 0 || !["ENOTEMPTY", "ENOENT"].includes(errnoOf(error))) throw error;
      await setTimeout(50);
    }
  }
  clearFiles(path);
}

const TRIES = 20;

function clearFiles(path: string): void {
  for (const each of [SCRIPT, UNFINISHED]) rmSync(`${path}${each}`, { force: true });
  tryTo(() => rmdirSync(OWN_BASE));
}

/** A tool may have left a mount, through which everything in another directory would be removed. */
function assertNothingMounted(path: string): void {
  const mount = mountsOf("self")?.entries.find(({ at }) => `${at}/`.startsWith(`${path}/`));
  if (mount !== undefined) throw new Error(`something is mounted at ${mount.at}`);
}

/** For what somebody else may have done already, or may still need. */
export function tryTo(act: () => void): void {
  try {
    act();
  } catch {
    // As said above.
  }
}
