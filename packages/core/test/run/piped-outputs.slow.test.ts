import { once } from "node:events";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { childOf } from "../../src/run/child.js";
import { endedHost, PIPES, TERMS } from "../support/running.js";

test("an output that somebody else keeps open ends, whoever reads it in whichever way", async () => {
  const ways = [
    (stream: Readable) => text(stream),
    async (stream: Readable) => Buffer.concat(await stream.toArray()).toString(),
    (stream: Readable) => {
      let said = "";
      stream.on("data", (chunk: Buffer) => {
        said += chunk.toString();
      });
      return once(stream, "end").then(() => said);
    },
  ];
  const read = ways.map(async (way) => {
    const child = childOf(await endedHost("echo said; exec sleep 60"), TERMS, PIPES);
    const [said] = await Promise.all([way(child.stdout ?? Readable.from([])), child.result]);
    return said;
  });
  expect(await Promise.all(read)).toEqual(["said\n", "said\n", "said\n"]);
});

test("a reader that is slow loses nothing", async () => {
  const child = childOf(await endedHost("head -c 300000 /dev/zero"), TERMS, PIPES);
  const sizes: number[] = [];
  child.stdout?.on("data", (chunk: Buffer) => {
    sizes.push(chunk.length);
    child.stdout?.pause();
    setTimeout(() => child.stdout?.resume(), sizes.length === 1 ? 2_500 : 1);
  });
  await Promise.all([child.result, once(child.stdout ?? Readable.from([]), "close")]);
  expect(sizes.reduce((sum, size) => sum + size)).toBe(300_000);
});
