import { isSandboxError } from "./error.js";
import { assertResult, type SandboxResult } from "./result.js";

/**
 * What a judge says of a run, in the words of isolate(1) and two of its users': all went well, run-time error, signal,
 * time-out, memory limit, output limit, and `XX` when the sandbox failed or the caller gave up.
 */
export type JudgeStatus = "OK" | "RE" | "SG" | "TO" | "ML" | "OL" | "XX";

/** A run as a judge sees it. What the backend cannot tell is absent. */
export interface JudgeVerdict {
  readonly status: JudgeStatus;
  /** The reason in a few words, for people. */
  readonly message: string;
  /** How the program ended, also by itself after a time-out. */
  readonly exitCode?: number;
  readonly signal?: NodeJS.Signals;
  /** Seconds of processor time. */
  readonly time?: number;
  /** Seconds. */
  readonly wallTime?: number;
  /** Bytes: see `peakMemory` of {@link Usage}. */
  readonly memory?: number;
}

/**
 * Reads a result, or the error that came in its place, as a judge does: see docs/judging.md. Pure.
 *
 * @param ended - What `run` resolved to, or what it was rejected with.
 * @throws SandboxError `CONFIG_INVALID` for anything else.
 */
export function verdictOf(ended: SandboxResult | Error): JudgeVerdict {
  if (ended instanceof Error) {
    const message = isSandboxError(ended) ? `${ended.code}: ${ended.message}` : ended.message;
    return { status: "XX", message };
  }
  assertResult(ended);
  const { exitCode, signal }: Ending = { ...ended, ...ended.afterStop };
  return {
    ...statusOf(ended),
    ...(exitCode !== undefined && { exitCode }),
    ...(signal !== undefined && { signal }),
    ...figuresOf(ended),
  };
}

type Ending = Pick<SandboxResult, "exitCode" | "signal">;
type Said = Pick<JudgeVerdict, "status" | "message">;

function statusOf(result: SandboxResult): Said {
  const { outcome, exitCode, signal } = result;
  switch (outcome) {
    case "exited":
      return exitCode === 0
        ? { status: "OK", message: "exited with status 0" }
        : { status: "RE", message: `exited with status ${exitCode}` };
    case "signaled":
      return { status: "SG", message: `died of ${signal}` };
    case "timed-out":
      return { status: "TO", message: "the wall time limit was reached" };
    case "limit-exceeded":
      return exceeded(result);
    case "aborted":
      return { status: "XX", message: "the caller aborted the run" };
  }
}

/** A limit for which judges have no word is a run-time error: it is the program that went too far. */
function exceeded({ exceeded: hit }: SandboxResult): Said {
  const limit: string = hit?.limit ?? "unknown";
  return { status: STATUSES[limit] ?? "RE", message: `the limit ${limit} was reached` };
}

const STATUSES: Readonly<Record<string, JudgeStatus>> = {
  stdout: "OL",
  stderr: "OL",
  fileSize: "OL",
  cpuTime: "TO",
  wallTime: "TO",
  memory: "ML",
};

function figuresOf({ usage }: SandboxResult): Pick<JudgeVerdict, "time" | "wallTime" | "memory"> {
  const { wallTime, userTime, systemTime, peakMemory } = usage;
  return {
    ...(userTime !== undefined && systemTime !== undefined && { time: userTime + systemTime }),
    wallTime,
    ...(peakMemory !== undefined && { memory: peakMemory }),
  };
}
