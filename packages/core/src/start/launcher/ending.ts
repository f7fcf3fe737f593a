import type { Verdict } from "../../backend/running.js";

import type { SandboxError } from "../../result/error.js";
import type { Usage } from "../../result/result.js";
import { signalName } from "../../result/signal.js";
import type { CheckedEnd } from "../started.js";
import type { Exited } from "./message.js";

/** The end of a program that the launcher has waited for. */
export function exitEnding(exited: Exited, enforced: CheckedEnd["enforced"]): CheckedEnd {
  return {
    verdict: () => verdictOf(exited.status),
    enforced,
    usage: usageOf(exited),
  };
}

/** As wait4(2) has it. */
export function usageOf(exited: Omit<Exited, "type" | "id" | "status">): Omit<Usage, "wallTime"> {
  const { minorFaults, majorFaults, voluntarySwitches, involuntarySwitches } = exited;
  return {
    userTime: exited.userTime / 1e6,
    systemTime: exited.systemTime / 1e6,
    peakMemory: exited.maxResident * 1024,
    minorFaults,
    majorFaults,
    blockReads: exited.blocksRead * BLOCK,
    blockWrites: exited.blocksWritten * BLOCK,
    voluntarySwitches,
    involuntarySwitches,
  };
}

const BLOCK = 512;

/** The end of a run that failed, which counts unless the caller ended it. */
export function failedEnding(
  { code, message, hint, path }: SandboxError,
  enforced: CheckedEnd["enforced"],
  isUnbegun = false,
): CheckedEnd {
  const verdict: Verdict = {
    kind: "failed",
    code,
    message,
    ...(hint !== undefined && { hint }),
    ...(path !== undefined && { path }),
    ...(isUnbegun && { isUnbegun }),
  };
  return { verdict: () => verdict, enforced };
}

/** wait(2): the low seven bits are the signal, the eighth says that there is a core dump, then comes the exit status. */
export function verdictOf(status: number): Verdict {
  const number = status & 127;
  if (number === 0) return { kind: "exited", exitCode: (status >> 8) & 255 };
  const coreDumped = (status & 128) !== 0;
  return { kind: "signaled", signal: signalName(number), ...(coreDumped && { coreDumped }) };
}
