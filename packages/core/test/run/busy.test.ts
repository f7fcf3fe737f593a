import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { childOf } from "../../src/run/child.js";
import { runningHost, TERMS } from "../support/running.js";

test.each([
  [0.3, "timed-out"],
  [30, "exited"],
] as const)(
  "where this process was busy, a limit of %d s is neither missed nor made up: %s",
  async (wallTime, outcome) => {
    const program = spawn("/bin/sh", ["-c", "sleep 0.4"], { stdio: "ignore" });
    // It has ended by the time when it would be killed.
    const running = runningHost(program, { signal: () => false, kill: () => false });
    const child = childOf(running, { ...TERMS, wallTime }, {});
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
    const result = await child.result;
    expect(result.outcome).toBe(outcome);
    expect(result.usage.wallTime).toBeGreaterThan(0.4);
  },
);
