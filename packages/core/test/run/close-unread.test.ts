import { spawn } from "node:child_process";
import { once } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { SandboxError } from "../../src/result/error.js";
import { childOf } from "../../src/run/child.js";
import { CONTENT, runningHost, TERMS } from "../support/running.js";

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
