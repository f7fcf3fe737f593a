import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { childOf } from "../src/launch/child.js";

test.each([
  [0.3, "timed-out"],
  [30, "exited"],
] as const)(
  "where this process was busy, a limit of %d s is neither missed nor made up: %s",
  async (wallTime, outcome) => {
    const startedAt = performance.now();
    const program = spawn("/bin/sh", ["-c", "sleep 0.4"], { stdio: "ignore" });
    const ended = once(program, "exit").then(() => ({
      verdict: () => ({ kind: "exited", exitCode: 0 }) as const,
      enforced: () => [],
    }));
    const streams = { stdin: null, stdout: null, stderr: null };
    // It has ended by the time when it would be killed.
    const running = { startedAt, streams, ended, signal: () => false, kill: () => false };
    const terms = {
      backend: "",
      dropped: [],
      limits: {},
      wallTime,
      stop: undefined,
      tellsSignals: true,
    };
    const child = childOf(running, terms, {});
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
    const result = await child.result;
    expect(result.outcome).toBe(outcome);
    expect(result.usage.wallTime).toBeGreaterThan(0.4);
  },
);
