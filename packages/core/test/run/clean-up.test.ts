import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { SandboxError } from "../../src/result/error.js";
import { childOf } from "../../src/run/child.js";
import { runningHost, TERMS } from "../support/running.js";

test("what is taken back on the host is not the program's time", async () => {
  const program = spawn("/bin/true", { stdio: "ignore" });
  let removed = 0;
  const remove = async (): Promise<void> => {
    await sleep(700);
    removed += 1;
  };
  const terms = { ...TERMS, wallTime: 0.6 };
  const { outcome, usage } = await childOf(runningHost(program, { remove }), terms, {}).result;
  expect([outcome, removed]).toEqual(["exited", 1]);
  expect(usage.wallTime).toBeLessThan(0.6);
});

test("what the host had is taken back also when the end of the program cannot be told", async () => {
  const program = spawn("/bin/true", { stdio: "ignore" });
  let removed = 0;
  const running = runningHost(program, {
    ended: Promise.reject(new SandboxError("LAUNCH_FAILED", "lost")),
    remove: async () => void (removed += 1),
  });
  await expect(childOf(running, TERMS, {}).result).rejects.toThrow("lost");
  expect(removed).toBe(1);
});

test("what cannot be taken back fails the run", async () => {
  const program = spawn("/bin/true", { stdio: "ignore" });
  const remove = (): Promise<void> => Promise.reject(new SandboxError("CLEANUP_FAILED", "busy"));
  await expect(childOf(runningHost(program, { remove }), TERMS, {}).result).rejects.toThrow("busy");
});
