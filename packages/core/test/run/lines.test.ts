import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { linesOf } from "../../src/run/lines.js";
import { thrown } from "../support/thrown.js";

const stream = (...chunks: (string | Buffer)[]): Readable =>
  Readable.from(chunks.map((chunk) => Buffer.from(chunk)));

async function all(source: Readable, maxLength?: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of linesOf("stdout", source, { maxLength })) lines.push(line);
  return lines;
}

describe("lines", () => {
  it.each<[(string | Buffer)[], string[]]>([
    [[], []],
    [["a\nb\n"], ["a", "b"]],
    [["a\nb"], ["a", "b"]],
    [["\n\n"], ["", ""]],
    [["a\r\nb\r\n"], ["a", "b"]],
    [
      ["a\r", "\nb"],
      ["a", "b"],
    ],
    [["a\rb\n\r"], ["a\rb", "\r"]],
    [
      ["a", "b", "c\nd", "e\n"],
      ["abc", "de"],
    ],
    [
      [Buffer.from([0xe2, 0x9c]), Buffer.from([0x93, 10, 0xff, 10])],
      ["✓", "\ufffd"],
    ],
    [["a\0b\n"], ["a\0b"]],
    [["\ufeffa\u2028b\n"], ["\ufeffa\u2028b"]],
  ])("of %j are %j", async (chunks, lines) => {
    expect(await all(stream(...chunks))).toEqual(lines);
  });

  it.each([
    [["abc\n"], 3],
    [["abc\r\n"], 3],
    [["ab", "c"], 3],
    [["\n"], 0],
  ])("of %j may have %i bytes", async (chunks, maxLength) => {
    expect(await all(stream(...chunks), maxLength)).toHaveLength(1);
  });

  it.each([
    [["abcd\n"], 3],
    [["abcd\r\n"], 3],
    [["abc\r"], 3],
    [["ab", "c", "d"], 3],
    [["a"], 0],
  ])("of %j are too long for %i bytes, which is STREAM_FAILED", async (chunks, maxLength) => {
    const source = stream(...chunks);
    const error = await thrown(() => all(source, maxLength));
    expect(error).toMatchObject({ code: "STREAM_FAILED", path: "stdout" });
    expect(source.destroyed).toBe(true);
  });

  it("hold no more than the longest that there may be", async () => {
    let given = 0;
    const endless = new Readable({
      read() {
        given += 1024;
        this.push(Buffer.alloc(1024, "x"));
      },
    });
    await thrown(() => all(endless, 10_000));
    expect(given).toBeLessThan(100_000);
  });

  it("that nobody wants any more destroy the stream", async () => {
    const source = stream("a\nb\n");
    for await (const line of linesOf("stdout", source)) {
      expect(line).toBe("a");
      break;
    }
    expect(source.destroyed).toBe(true);
  });

  it("of an output that is no pipe are CONFIG_INVALID, as is a length that is none", async () => {
    const noPipe = await thrown(() => Promise.resolve(linesOf("stderr", null)));
    expect(noPipe).toMatchObject({ code: "CONFIG_INVALID", path: "stderr" });
    for (const maxLength of [-1, 1.5, Number.NaN]) {
      const error = await thrown(() => Promise.resolve(linesOf("stdout", stream(), { maxLength })));
      expect(error).toMatchObject({ code: "CONFIG_INVALID", path: "maxLength" });
    }
  });

  it("are those of an output that there is", async () => {
    expect(await thrown(() => linesOf("foo" as never, stream()))).toMatchObject({
      code: "CONFIG_INVALID",
      path: "output",
      message: 'output: "foo" is no output of a program',
    });
    expect(
      await thrown(() => linesOf("stdout", stream(), { maxlength: 1 } as never)),
    ).toMatchObject({ code: "CONFIG_INVALID", path: "maxlength" });
  });
});
