import { PassThrough, Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { capture } from "../../src/run/capture.js";

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
