import { spawn } from "node:child_process";
import { once } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { SandboxError } from "../../src/result/error.js";
import { childOf } from "../../src/run/child.js";
import { CONTENT, runningHost, TERMS } from "../support/running.js";

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

/** Streams that a process holds which the run has left behind. */
function leftBehind() {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const program = spawn("/bin/true", { stdio: "ignore" });
  return { program, streams: { stdin, stdout, stderr } };
}

test("what captures an output lets go of it when the end of the program cannot be told", async () => {
  const { program, streams } = leftBehind();
  const ended = Promise.reject(new SandboxError("LAUNCH_FAILED", "lost"));
  const child = childOf(runningHost(program, { streams, ended }), TERMS, {});
  await expect(child.result).rejects.toThrow("lost");
  expect([streams.stdout.destroyed, streams.stderr.destroyed]).toEqual([true, true]);
});

test.each(["pipe", { data: "x".repeat(100_000) }] as const)(
  "nothing is written any more when the program has ended: %o",
  async (stdin) => {
    const { program, streams } = leftBehind();
    const child = childOf(runningHost(program, { streams }), TERMS, { stdin });
    streams.stdout.end();
    streams.stderr.end();
    await child.result;
    expect(streams.stdin.destroyed).toBe(true);
  },
);

test("a pipe that nobody reads is closed when the program has ended", async () => {
  const program = spawn("/bin/sh", ["-c", "echo word; exec sleep 60"]);
  onTestFinished(() => void program.kill("SIGKILL"));
  await once(program, "spawn");
  const { streams } = leftBehind();
  const options = { stdout: "pipe", stderr: "pipe" } as const;
  const running = runningHost(program, { streams, ended: Promise.resolve(CONTENT) });
  const child = childOf(running, TERMS, options);
  streams.stdout.end("unread");
  streams.stderr.end("read");
  await child.result;
  const [said] = await Promise.all([
    text(child.stderr ?? Readable.from([])),
    once(streams.stdout, "close"),
  ]);
  expect(said).toBe("read");
});
