import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { childOf } from "../../src/run/child.js";
import { CONTENT, runningHost, TERMS } from "../support/running.js";

test("what a program wrote is not lost where this process was busy when it ended", async () => {
  const program = spawn("/bin/sh", ["-c", "sleep 0.2; echo late"]);
  const running = runningHost(program, { ended: Promise.resolve(CONTENT) });
  const child = childOf(running, TERMS, {});
  // By now it waits for the output, and longer than this it does not want to wait.
  await new Promise((resolve) => setImmediate(resolve));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_200);
  const result = await child.result;
  expect(Buffer.from(result.stdout ?? []).toString()).toBe("late\n");
});

test("output that was cut is never told as whole, also when the program has ended by then", async () => {
  const program = spawn("/bin/sh", ["-c", "head -c 20000 /dev/zero"]);
  const running = runningHost(program, { ended: Promise.resolve(CONTENT) });
  const child = childOf(running, TERMS, { maxOutput: 5000 });
  const { outcome, exceeded, stdout } = await child.result;
  expect([outcome, exceeded]).toEqual(["limit-exceeded", { limit: "stdout", bytes: 5000 }]);
  expect(stdout).toHaveLength(5000);
});
