import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { childOf } from "../src/launch/child.js";

const TERMS = {
  backend: "",
  dropped: [],
  limits: {},
  wallTime: undefined,
  stop: undefined,
  tellsSignals: true,
};

test("what a program wrote is not lost where this process was busy when it ended", async () => {
  const { stdin, stdout, stderr } = spawn("/bin/sh", ["-c", "sleep 0.2; echo late"]);
  const running = {
    startedAt: 0,
    streams: { stdin, stdout, stderr },
    ended: Promise.resolve({
      verdict: () => ({ kind: "exited", exitCode: 0 }) as const,
      enforced: () => [],
    }),
    signal: () => false,
    kill: () => false,
  };
  const child = childOf(running, TERMS, {});
  // By now it waits for the output, and longer than this it does not want to wait.
  await new Promise((resolve) => setImmediate(resolve));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_200);
  const result = await child.result;
  expect(Buffer.from(result.stdout ?? []).toString()).toBe("late\n");
});
