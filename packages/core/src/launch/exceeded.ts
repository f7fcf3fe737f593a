import { constants } from "node:os";
import type { Limits } from "../config/schema.js";
import type { Verdict } from "../plan/plan.js";
import type { Exceeded } from "../result/result.js";
import type { Ended } from "./running.js";

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
  if (outOfMemory !== undefined && wasKilled(verdict))
    return { limit: "memory", bytes: outOfMemory };
  if (fileSize !== undefined && died("SIGXFSZ")) return { limit: "fileSize", bytes: fileSize };
  if (cpuTime === undefined) return undefined;
  const { userTime = 0, systemTime = 0 } = usage ?? {};
  // A program that ignores SIGXCPU is killed a second later, by a count that goes in ticks and may be ahead.
  const isSpent = userTime + systemTime > Math.ceil(cpuTime) + 0.5;
  if (died("SIGXCPU") || (died("SIGKILL") && isSpent && signaled !== "SIGKILL"))
    return { limit: "cpuTime", seconds: cpuTime };
  return undefined;
}

/** 137 is what a shell or a tool says of a child that SIGKILL ended; a set-up may be killed, too. */
function wasKilled(verdict: Verdict): boolean {
  if (verdict.kind === "signaled") return verdict.signal === "SIGKILL";
  return verdict.kind === "failed" || verdict.exitCode === 137;
}
