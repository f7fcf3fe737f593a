import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Ended, Running } from "../../src/backend/running.js";
import type { Terms } from "../../src/run/child.js";

/** What a run may use that has no limit. */
export const TERMS: Terms = {
  backend: "",
  dropped: [],
  limits: {},
  wallTime: undefined,
  stop: undefined,
  tellsSignals: true,
};

/** The end of a program that was content. */
export const CONTENT: Ended = {
  verdict: () => ({ kind: "exited", exitCode: 0 }),
  enforced: () => [],
};

/** A process of the host as a run, which has ended when that is. */
export function runningHost(child: ChildProcess, more: Partial<Running> = {}): Running {
  const { stdin, stdout, stderr } = child;
  return {
    startedAt: performance.now(),
    streams: { stdin, stdout, stderr },
    ended: once(child, "exit").then(() => CONTENT),
    signal: (name) => child.kill(name),
    kill: () => child.kill("SIGKILL"),
    ...more,
  };
}
