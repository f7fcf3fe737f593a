import { expect, test } from "vitest";
import { enforces, textOf, verdictOf } from "../../src/index.js";
import { thrown } from "../support/thrown.js";

const stdout = Buffer.from("some");

test("what a run wrote is one word away from text, byte order mark and all", () => {
  expect(textOf({ stdout: Buffer.from("\ufeffé\n") })).toBe("\ufeffé\n");
  expect(textOf({ stdout: Buffer.from([0x61, 0xff, 0x62]) })).toBe("a\ufffdb");
  expect(textOf({ stdout, stderr: Buffer.from("no") }, "stderr")).toBe("no");
  expect(textOf({ stdout: new Uint8Array() })).toBe("");
});

test("an output that was not captured is no empty text", async () => {
  expect(await thrown(() => textOf({ stdout }, "stderr"))).toMatchObject({
    code: "CONFIG_INVALID",
    message: "stderr: it was not captured",
    path: "stderr",
    hint: 'Leave the option `stderr` of the run out, or set it to "capture".',
  });
});

test("what is no result is refused by name", async () => {
  const none = { code: "CONFIG_INVALID", path: "result", hint: expect.stringContaining("Await") };
  for (const value of [3, {}, null, undefined, Promise.resolve({})] as never[])
    for (const ask of [enforces, verdictOf])
      expect(await thrown(() => ask(value))).toMatchObject(none);
  for (const value of [3, null, Promise.resolve({})] as never[])
    expect(await thrown(() => textOf(value))).toMatchObject(none);
  expect(await thrown(() => textOf({ stdout }, "foo" as never))).toMatchObject({
    code: "CONFIG_INVALID",
    message: 'output: "foo" is no output of a program',
  });
});
