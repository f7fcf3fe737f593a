import type { Plan } from "../plan/plan.js";
import { SandboxError } from "../result/error.js";
import type { SandboxResult } from "../result/result.js";
import type { Ended } from "./watch.js";

/** What made core end a run before the program ended by itself. */
export type Stop =
  | "timed-out"
  | "aborted"
  | { readonly limit: "stdout" | "stderr"; readonly bytes: number };

/** What core knows of a run at its end. */
export interface Seen {
  readonly plan: Plan;
  readonly report: string;
  readonly stderr: Uint8Array | undefined;
  readonly stopped: Stop | undefined;
  /** The last signal that the caller had sent. */
  readonly signaled: NodeJS.Signals | undefined;
}

const STDERR_TAIL = 4096;

/**
 * Puts the end of a run into one word.
 *
 * @throws SandboxError when there was no program to end, or when not all of it would end.
 */
export function outcomeOf(
  ended: Ended,
  { plan, report, stderr, stopped, signaled }: Seen,
): Pick<SandboxResult, "outcome" | "exitCode" | "signal" | "exceeded"> {
  assertEnded(ended, plan);
  if (typeof stopped === "object") return { outcome: "limit-exceeded", exceeded: stopped };
  if (stopped !== undefined) return { outcome: stopped };
  const tail = Buffer.from(stderr?.subarray(-STDERR_TAIL) ?? []).toString();
  const verdict = plan.interpret({ ...ended, report, stderr: tail });
  if (verdict.kind === "exited") return { outcome: "exited", exitCode: verdict.exitCode };
  if (verdict.kind === "signaled") return { outcome: "signaled", signal: verdict.signal };
  // The caller's own signal got there first; it may have hit the tool before there was a program.
  if (signaled !== undefined) return { outcome: "signaled", signal: signaled };
  throw new SandboxError(
    verdict.code,
    verdict.message,
    verdict.hint === undefined ? {} : { hint: verdict.hint },
  );
}

function assertEnded({ error, survived }: Ended, { argv }: Plan): void {
  if (error !== undefined) {
    throw new SandboxError("LAUNCH_FAILED", `${argv[0]} cannot be started: ${error.message}`, {
      cause: error,
    });
  }
  if (survived) {
    throw new SandboxError(
      "CLEANUP_FAILED",
      "the run has ended, but a process of it would not die",
      {
        hint: "It is probably stuck in the kernel, waiting for a device or a network file system.",
      },
    );
  }
}
