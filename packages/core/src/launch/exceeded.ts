import { constants } from "node:os";
import type { Limits } from "../config/schema.js";
import type { Verdict } from "../plan/plan.js";
import type { Exceeded, Usage } from "../result/result.js";

/** Which limit of setrlimit(2) ended the program, if one did: the kernel says so with a signal. */
export function exceededLimit(
  verdict: Verdict,
  usage: Partial<Usage> | undefined,
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
  if (fileSize !== undefined && died("SIGXFSZ")) return { limit: "fileSize", bytes: fileSize };
  if (cpuTime === undefined) return undefined;
  const { userTime = 0, systemTime = 0 } = usage ?? {};
  // A program that ignores SIGXCPU is killed a second later, by a count that goes in ticks and may be ahead.
  const isSpent = userTime + systemTime > Math.ceil(cpuTime) + 0.5;
  if (died("SIGXCPU") || (died("SIGKILL") && isSpent && signaled !== "SIGKILL"))
    return { limit: "cpuTime", seconds: cpuTime };
  return undefined;
}
