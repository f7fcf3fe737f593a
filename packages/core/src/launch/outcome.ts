import { SandboxError } from "../result/error.js";
import type { SandboxResult } from "../result/result.js";
import type { Ended } from "./running.js";

/** What made core end a run before the program ended by itself. */
export type Stop =
  | "timed-out"
  | "aborted"
  | { readonly limit: "stdout" | "stderr"; readonly bytes: number };

/** What core knows of a run at its end. */
export interface Seen {
  readonly stderr: Uint8Array | undefined;
  readonly stopped: Stop | undefined;
  /** The last signal that the caller had sent. */
  readonly signaled: NodeJS.Signals | undefined;
}

const STDERR_TAIL = 4096;

/**
 * Puts the end of a run into one word.
 *
 * @throws SandboxError when there was no program to end.
 */
export function outcomeOf(
  ended: Ended,
  { stderr, stopped, signaled }: Seen,
): Pick<SandboxResult, "outcome" | "exitCode" | "signal" | "exceeded"> {
  if (typeof stopped === "object") return { outcome: "limit-exceeded", exceeded: stopped };
  if (stopped !== undefined) return { outcome: stopped };
  const verdict = ended.verdict(Buffer.from(stderr?.subarray(-STDERR_TAIL) ?? []).toString());
  if (verdict.kind === "exited") return { outcome: "exited", exitCode: verdict.exitCode };
  if (verdict.kind === "signaled") return { outcome: "signaled", signal: verdict.signal };
  // The caller's own signal got there first; it may have hit the tool before there was a program.
  if (signaled !== undefined) return { outcome: "signaled", signal: signaled };
  const { code, message, kind: _, ...details } = verdict;
  throw new SandboxError(code, message, details);
}
