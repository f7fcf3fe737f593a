import { expect, test } from "vitest";
import { textOf } from "../../src/index.js";
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
