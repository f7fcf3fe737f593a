import { constants } from "node:os";
import type { Verdict } from "../backend/running.js";
import type { Limits } from "../config/types.js";
import { HINT_PROCESSES } from "../host/rlimit.js";
import { type ErrorCode, type ErrorDetails, markUnbegun, SandboxError } from "../result/error.js";
import type { Ending, Exceeded, StoppedEnding } from "../result/result.js";
import type { CheckedEnd } from "../start/started.js";

/** What made core end a run before the program ended by itself. */
export type Stop = "timed-out" | "aborted" | Exceeded | SandboxError;

/** What core knows of a run at its end. */
export interface Seen {
  readonly stderr: Uint8Array | undefined;
  readonly stopped: Stop | undefined;
  /** The last signal that the caller had sent. */
  readonly signaled: NodeJS.Signals | undefined;
  /** Whether core has ended everything. */
  readonly killed: boolean;
  readonly limits: Limits;
  /** Whether the backend tells death by a signal apart from the exit status 128+n. */
  readonly tellsSignals: boolean;
}

const STDERR_TAIL = 4096;

/**
 * Decides the outcome of a run.
 *
 * @throws SandboxError when there was no program to end.
 */
export function outcomeOf(ended: CheckedEnd, seen: Seen): Ending {
  const { stderr, stopped, signaled, killed } = seen;
  if (stopped instanceof SandboxError) throw stopped;
  if (typeof stopped === "object") return { outcome: "limit-exceeded", exceeded: stopped };
  if (stopped !== undefined && killed) return { outcome: stopped };
  const verdict = ended.verdict(Buffer.from(stderr?.subarray(-STDERR_TAIL) ?? []).toString());
  if (stopped !== undefined) return { outcome: stopped, ...afterStop(verdict) };
  const exceeded = exceededLimit(verdict, ended, seen);
  const dump = verdict.kind === "signaled" && verdict.coreDumped === true;
  if (exceeded !== undefined)
    return { outcome: "limit-exceeded", exceeded, ...(dump && { coreDumped: true }) };
  if (verdict.kind === "exited") return { outcome: "exited", exitCode: verdict.exitCode };
  if (verdict.kind === "signaled")
    return { outcome: "signaled", signal: verdict.signal, ...(dump && { coreDumped: true }) };
  // With SIGKILL the caller has ended everything, perhaps before there was a program.
  if (signaled === "SIGKILL") return { outcome: "signaled", signal: signaled };
  const { code, message, kind: _, isUnbegun, ...details } = verdict;
  // A fork was refused before there was a program.
  const hint = (ended.usage?.refusedForks ?? 0) > 0 ? { hint: HINT_PROCESSES } : {};
  const error = new SandboxError(code, message, { ...HINTS[code], ...hint, ...details });
  if (isUnbegun === true) markUnbegun(error);
  throw error;
}

/** Details of errors that are the same for every backend. */
const HINTS: Partial<Readonly<Record<ErrorCode, ErrorDetails>>> = {
  COMMAND_NOT_FOUND: {
    path: "command",
    hint: "Give a path that exists inside, or set PATH in `env`.",
  },
  COMMAND_NOT_EXECUTABLE: {
    path: "command",
    hint: "The kernel has refused it: see execve(2). It must be executable for the user inside, too.",
  },
};

/** How a program that was asked to end did so. */
function afterStop(verdict: Verdict): Pick<StoppedEnding, "afterStop"> {
  if (verdict.kind === "exited") return { afterStop: { exitCode: verdict.exitCode } };
  return verdict.kind === "signaled" ? { afterStop: { signal: verdict.signal } } : {};
}

/** Which limit ended the program, if one did: the kernel says so with a signal, or by what it has counted. */
export function exceededLimit(
  verdict: Verdict,
  {
    usage,
    outOfMemory,
    cpuTimeSeen = 0,
  }: Pick<CheckedEnd, "usage" | "outOfMemory" | "cpuTimeSeen">,
  {
    limits: { cpuTime, fileSize },
    signaled,
    tellsSignals,
  }: { limits: Limits; signaled: NodeJS.Signals | undefined; tellsSignals: boolean },
): Exceeded | undefined {
  const died = (signal: "SIGXCPU" | "SIGXFSZ" | "SIGKILL"): boolean =>
    verdict.kind === "signaled"
      ? verdict.signal === signal
      : // A backend that cannot tell signals gives 128 and the number.
        !tellsSignals &&
        verdict.kind === "exited" &&
        verdict.exitCode === 128 + constants.signals[signal];
  const isOurs = signaled === "SIGKILL";
  if (outOfMemory !== undefined && wasKilled(verdict) && !isOurs)
    return { limit: "memory", bytes: outOfMemory };
  if (fileSize !== undefined && died("SIGXFSZ")) return { limit: "fileSize", bytes: fileSize };
  if (cpuTime === undefined) return undefined;
  const { userTime, systemTime = 0 } = usage ?? {};
  const spent = userTime === undefined ? undefined : userTime + systemTime;
  // The kernel counts in ticks, so the time that it tells may be a little off. A program may also send SIGXCPU to itself:
  // where no time is known, the signal is taken for the limit. The kernel kills a program that ignores it a second later.
  const isSpent = (spent ?? Infinity) > Math.ceil(cpuTime) - 0.5;
  const isOverspent = (spent ?? cpuTimeSeen) > Math.ceil(cpuTime) + 0.5;
  return (died("SIGXCPU") && isSpent) || (died("SIGKILL") && isOverspent && !isOurs)
    ? { limit: "cpuTime", seconds: cpuTime }
    : undefined;
}

/** Whether SIGKILL ended the program. A shell says 137 of such a child, and the set-up itself may have been killed. */
function wasKilled(verdict: Verdict): boolean {
  if (verdict.kind === "signaled") return verdict.signal === "SIGKILL";
  return verdict.kind === "failed" || verdict.exitCode === 137;
}
