import { constants } from "node:os";
import type { Ended, Verdict } from "../backend/running.js";
import type { Limits } from "../config/schema.js";
import type { Exceeded } from "../result/result.js";

/** Which limit ended the program, if one did: the kernel says so with a signal, or by what it has counted. */
export function exceededLimit(
  verdict: Verdict,
  { usage, outOfMemory }: Pick<Ended, "usage" | "outOfMemory">,
  {
    limits: { cpuTime, fileSize },
    signaled,
    tellsSignals,
  }: { limits: Limits; signaled: NodeJS.Signals | undefined; tellsSignals: boolean },
): Exceeded | undefined {
  const died = (signal: "SIGXCPU" | "SIGXFSZ" | "SIGKILL"): boolean =>
    verdict.kind === "signaled"
      ? verdict.signal === signal
      : // All that such a backend has for death by a signal.
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
  // The kernel counts in ticks and may be ahead. A program may also send SIGXCPU to itself; where nobody has counted,
  // it is believed. One that ignores the signal is killed a second later.
  const isSpent = (spent ?? Infinity) > Math.ceil(cpuTime) - 0.5;
  const isOverspent = (spent ?? 0) > Math.ceil(cpuTime) + 0.5;
  return (died("SIGXCPU") && isSpent) || (died("SIGKILL") && isOverspent && !isOurs)
    ? { limit: "cpuTime", seconds: cpuTime }
    : undefined;
}

/** 137 is what a shell or a tool says of a child that SIGKILL ended; a set-up may be killed, too. */
function wasKilled(verdict: Verdict): boolean {
  if (verdict.kind === "signaled") return verdict.signal === "SIGKILL";
  return verdict.kind === "failed" || verdict.exitCode === 137;
}
