import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import { now } from "../../src/host/lazily.js";
import type { Terms } from "../../src/run/child.js";
import type { CheckedEnd, Started } from "../../src/start/started.js";

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
export const CONTENT: CheckedEnd = {
  verdict: () => ({ kind: "exited", exitCode: 0 }),
  enforced: () => [],
};

/** A process of the host as a run, which has ended when that is. */
export function runningHost(child: ChildProcess, more: Partial<Started> = {}): Started {
  const { stdin, stdout, stderr } = child;
  return {
    startedAt: now(),
    streams: { stdin, stdout, stderr },
    ended: once(child, "exit").then(() => CONTENT),
    signal: (name) => child.kill(name),
    kill: () => child.kill("SIGKILL"),
    ...more,
  };
}

/** Both outputs as pipes. */
export const PIPES = { stdout: "pipe", stderr: "pipe" } as const;

/** A run that has ended although its output still comes. */
export async function endedHost(script: string): Promise<Started> {
  const program = spawn("/bin/sh", ["-c", script]);
  onTestFinished(() => void program.kill("SIGKILL"));
  await once(program, "spawn");
  return runningHost(program, { ended: Promise.resolve(CONTENT) });
}
