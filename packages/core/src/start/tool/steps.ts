import { setTimeout } from "node:timers/promises";
import type { Step, Undo } from "../../backend/plan.js";
import { runHostCommandNow } from "../../host/host.js";
import { SandboxError } from "../../result/error.js";
import { type Journal, openJournal } from "./journal.js";
import { commandOf, takeBack, takeBackNow } from "./undo.js";

/** Steps that were taken on the host. */
export interface Taken {
  /**
   * Takes all of them back, in reverse, without keeping this process from its work; safe to call twice.
   *
   * @throws SandboxError `CLEANUP_FAILED`; what is left is for `gc`.
   */
  readonly undo: () => Promise<void>;
  /** The same for a start that failed: nothing of it runs that could keep a step busy, so each is tried once. */
  readonly undoNow: () => void;
}

/**
 * Runs a plan's steps on the host. Each is written to the journal before it is run, so that `gc` can take it back
 * after a crash of this process. It blocks: a start hands out the streams of a process that must come after them.
 *
 * @throws SandboxError `LAUNCH_FAILED`; the steps before have been taken back then.
 */
export function takeSteps(steps: readonly Step[]): Taken {
  if (steps.length === 0) return { undo: async () => undefined, undoNow: () => undefined };
  const journal = openJournal();
  const undo: Undo[] = [];
  const taken = takenFrom(undo, journal);
  for (const step of steps) {
    journal.write(undo, step.undo);
    const failure = runHostCommandNow(step.run);
    if (failure !== undefined) {
      taken.undoNow();
      throw new SandboxError("LAUNCH_FAILED", `${step.run.join(" ")}: ${failure}`, {
        hint: "The steps before it have been taken back.",
      });
    }
    if (step.undo !== undefined) undo.push(step.undo);
  }
  journal.write(undo);
  return taken;
}

function takenFrom(left: Undo[], journal: Journal): Taken {
  const end = (last: Undo, failure: string | undefined): void => {
    if (failure !== undefined) {
      journal.abandon();
      throw new SandboxError("CLEANUP_FAILED", `${commandOf(last).join(" ")}: ${failure}`, {
        hint: "Find out what keeps it busy, then run `sandboxlib gc`.",
      });
    }
    left.pop();
    journal.write(left);
  };
  const undo = async (): Promise<void> => {
    for (let last = left.at(-1); last !== undefined; last = left.at(-1))
      end(last, await undoStep(last));
    journal.remove();
  };
  let undoing: Promise<void> | undefined;
  return {
    undo() {
      undoing ??= undo();
      return undoing;
    },
    undoNow() {
      for (let last = left.at(-1); last !== undefined; last = left.at(-1))
        end(last, takeBackNow(last));
      journal.remove();
    },
  };
}

/** Tries for a moment: a process of the run that is just dying may keep a mount busy. */
async function undoStep(undo: Undo): Promise<string | undefined> {
  let failure = await takeBack(undo);
  for (let tries = 0; failure !== undefined && tries < 20; tries += 1) {
    await setTimeout(50);
    failure = await takeBack(undo);
  }
  return failure;
}
