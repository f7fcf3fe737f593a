import { spawn } from "node:child_process";
import { PassThrough, Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it, test } from "vitest";
import { capture, chunkBuffer } from "../../src/run/capture.js";
import { childOf } from "../../src/run/child.js";
import { CONTENT, runningHost, TERMS } from "../support/running.js";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe("capture", () => {
  it("collects everything up to the limit, byte for byte", async () => {
    let overruns = 0;
    const captured = capture(
      Readable.from([Buffer.from("ab"), Buffer.from("c")]),
      3,
      () => (overruns += 1),
    );
    await captured.done;
    expect([text(captured.bytes()), overruns]).toEqual(["abc", 0]);
  });

  it.each([[["abcd"]], [["abc", "d"]], [["a", "bcd", "e", "f"]]])(
    "keeps the beginning of %j and says once that there is more",
    async (chunks) => {
      let overruns = 0;
      const captured = capture(
        Readable.from(chunks.map((chunk) => Buffer.from(chunk))),
        3,
        () => (overruns += 1),
      );
      await captured.done;
      expect([text(captured.bytes()), overruns]).toEqual(["abc", 1]);
    },
  );

  it("takes a limit of 0 for nothing at all", async () => {
    let overruns = 0;
    const captured = capture(Readable.from([Buffer.from("a")]), 0, () => (overruns += 1));
    await captured.done;
    expect([captured.bytes().length, overruns]).toEqual([0, 1]);
  });

  it("keeps what it has when the stream breaks", async () => {
    const stream = new PassThrough();
    const captured = capture(stream, 10, () => undefined);
    stream.write("ab");
    await turn();
    stream.destroy(new Error("reset"));
    await captured.done;
    expect(text(captured.bytes())).toBe("ab");
  });

  it("can be cut while the stream is open", async () => {
    const stream = new PassThrough();
    const captured = capture(stream, 10, () => undefined);
    stream.write("ab");
    await turn();
    captured.cut();
    await captured.done;
    expect(text(captured.bytes())).toBe("ab");
  });
});

test("many small chunkBuffer become few, in order and byte for byte", () => {
  const kept = chunkBuffer();
  const bytes = Buffer.from(Array.from({ length: 20_000 }, (_, index) => index % 251));
  for (let at = 0; at < bytes.length; at += 1) kept.add(bytes.subarray(at, at + 1));
  expect(kept.all().length).toBeLessThan(5);
  expect(Buffer.concat(kept.all()).equals(bytes)).toBe(true);
});

test("large ones between them keep their place, and are not copied", () => {
  const kept = chunkBuffer();
  const large = Buffer.alloc(5000, "L");
  for (const piece of [Buffer.from("a"), Buffer.from("b"), large, Buffer.from("c")])
    kept.add(piece);
  expect(kept.all()[1]).toBe(large);
  kept.add(Buffer.from("d"));
  expect(Buffer.concat(kept.all()).toString()).toBe(`ab${"L".repeat(5000)}cd`);
});

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
