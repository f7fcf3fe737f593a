import { once } from "node:events";
import { Readable, Writable } from "node:stream";
import { ReadableStream } from "node:stream/web";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { SandboxError } from "../../src/result/error.js";
import type { InputSource } from "../../src/run/options.js";
import { pumpStdin } from "../../src/run/stdin-pump.js";

/** What a program would read; `read` lets it take one more chunk. */
function program() {
  const taken: string[] = [];
  const waiting: (() => void)[] = [];
  const stdin = new Writable({
    highWaterMark: 8,
    write(chunk: Buffer, _, done) {
      taken.push(chunk.toString());
      waiting.push(() => done());
    },
  });
  const read = async (): Promise<void> => {
    waiting.shift()?.();
    await turn();
    await turn();
  };
  return { stdin, taken, read };
}

/** A program that reads whatever comes. */
function reader() {
  let text = "";
  const stdin = new Writable({
    write(chunk: Buffer, _, done) {
      text += chunk.toString();
      done();
    },
  });
  return { stdin, text: () => text };
}

const NONE = (error: SandboxError): void => {
  throw error;
};

async function* counting(most: number, count: { given: number; isReturned: boolean }) {
  try {
    for (; count.given < most; count.given += 1) yield "12345678";
  } finally {
    count.isReturned = true;
  }
}

describe("a source of standard input", () => {
  it.each<[string, () => InputSource]>([
    ["a Readable", () => Readable.from([Buffer.from("one "), Buffer.from("two")])],
    ["a Readable of strings", () => Readable.from(["one ", "two"])],
    ["a web stream", () => Readable.toWeb(Readable.from([Buffer.from("one two")])) as InputSource],
    [
      "a generator",
      () =>
        (async function* () {
          yield "one ";
          yield new Uint8Array(Buffer.from("two"));
        })(),
    ],
  ])("can be %s", async (_, source) => {
    const { stdin, text } = reader();
    pumpStdin(stdin, { stream: source() }, NONE);
    await once(stdin, "close");
    expect(text()).toBe("one two");
  });

  it("is asked for no more than there is room for", async () => {
    const { stdin, taken, read } = program();
    const count = { given: 0, isReturned: false };
    const end = pumpStdin(stdin, { stream: counting(1000, count) }, NONE);
    for (let index = 0; index < 10; index += 1) await read();
    expect(taken.length).toBeGreaterThan(5);
    expect(count.given).toBeLessThan(taken.length + 2);
    end();
  });

  it("is returned when the program takes no more", async () => {
    const { stdin } = program();
    const count = { given: 0, isReturned: false };
    pumpStdin(stdin, { stream: counting(1000, count) }, NONE);
    await turn();
    stdin.destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    await turn();
    expect(count.isReturned).toBe(true);
  });

  it("is destroyed when the run is over, also while it waits", async () => {
    const node = new Readable({ read: () => undefined });
    let cancelled = false;
    const web = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
    for (const stream of [node, web]) pumpStdin(reader().stdin, { stream }, NONE)();
    await turn();
    expect([node.destroyed, cancelled]).toEqual([true, true]);
  });

  it.each<[string, () => InputSource]>([
    [
      "fails",
      () =>
        new Readable({
          read() {
            this.destroy(new Error("no disk"));
          },
        }),
    ],
    [
      "is destroyed before its end",
      () =>
        new Readable({
          read() {
            this.destroy();
          },
        }),
    ],
    [
      "fails as a web stream",
      () => new ReadableStream({ pull: (own) => own.error(new Error("no disk")) }),
    ],
    [
      "is read by somebody else",
      () => {
        const own = new ReadableStream<string>();
        own.getReader();
        return own;
      },
    ],
    ["gives numbers", () => Readable.from([1, 2])],
    [
      "is no good iterator",
      () => ({
        [Symbol.asyncIterator]: () => {
          throw new Error("no iterator");
        },
      }),
    ],
  ])("that %s is STREAM_FAILED, once", async (_, source) => {
    const errors: SandboxError[] = [];
    const { stdin } = reader();
    pumpStdin(stdin, { stream: source() }, (error) => errors.push(error));
    for (let turns = 0; turns < 10; turns += 1) await turn();
    expect(errors).toMatchObject([{ code: "STREAM_FAILED", path: "stdin" }]);
    expect(stdin.writableEnded).toBe(false);
  });
});
