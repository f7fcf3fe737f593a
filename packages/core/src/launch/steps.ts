import type { Step } from "../plan/plan.js";
import { SandboxError } from "../result/error.js";
import { runHostCommand } from "./host-command.js";
import { openJournal } from "./journal.js";

/** What takes back every step that was taken, in reverse; safe to call twice. */
export type Undo = () => void;

/**
 * Runs a plan's steps on the host. Each is written to the journal before it is run, so that `gc` can take it back
 * after a crash of this process.
 *
 * @throws SandboxError `LAUNCH_FAILED`; the steps before have been taken back then.
 */
export function takeSteps(steps: readonly Step[]): Undo {
  if (steps.length === 0) return () => undefined;
  const journal = openJournal();
  const taken: Step[] = [];
  const undo = (): void => {
    while (taken.length > 0) {
      undoStep(taken.at(-1)?.undo);
      taken.pop();
      journal.write(taken.map((step) => step.undo));
    }
    journal.remove();
  };
  for (const step of steps) {
    journal.write(
      taken.map((done) => done.undo),
      step.undo,
    );
    const failure = runHostCommand(step.run);
    if (failure !== undefined) {
      undo();
      throw new SandboxError("LAUNCH_FAILED", `${step.run.join(" ")}: ${failure}`, {
        hint: "The steps before it have been taken back.",
      });
    }
    taken.push(step);
  }
  journal.write(taken.map((done) => done.undo));
  return undo;
}

/** Tries for a moment: a process of the run that is just dying may keep a mount busy. */
function undoStep(argv: Step["undo"] | undefined): void {
  if (argv === undefined) return;
  let failure = runHostCommand(argv);
  for (let tries = 0; failure !== undefined && tries < 20; tries += 1) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    failure = runHostCommand(argv);
  }
  if (failure === undefined) return;
  throw new SandboxError("CLEANUP_FAILED", `${argv.join(" ")}: ${failure}`, {
    hint: "Find out what keeps it busy, then run `sandboxlib gc`.",
  });
}
