import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { Topic } from "../case.js";
import { nextText, refused, succeeded } from "../check.js";
import { inEveryWay } from "../ways.js";

const MEBIBYTE = Buffer.alloc(1024 * 1024, Buffer.from(Array.from({ length: 256 }, (_, i) => i)));
const CHUNK = 65_536;
/** In bytes: what pipes and buffers on the way may hold at most. */
const ON_THE_WAY = 32 * CHUNK;

/** A source without an end, which counts. */
function endless() {
  const count = { bytes: 0, isReturned: false };
  const source = async function* () {
    try {
      for (;;) {
        yield Buffer.alloc(CHUNK);
        count.bytes += CHUNK;
      }
    } finally {
      count.isReturned = true;
    }
  };
  return { count, stream: source() };
}

async function* failing() {
  yield "word\n";
  throw new Error("the disk is gone");
}

/** Where standard input comes from a stream of the caller. */
export const feeding: Topic = {
  title: "feeding",
  isBare: true,
  cases: [
    ...inEveryWay("standard input comes from a stream, byte for byte", async (spawn) => {
      const chunks = Array.from({ length: 16 }, (_, index) =>
        MEBIBYTE.subarray(index * CHUNK, (index + 1) * CHUNK),
      );
      const child = await spawn("cat; exit 7", {}, { stdin: { stream: Readable.from(chunks) } });
      assert(child.stdout !== null);
      assert(MEBIBYTE.equals(await buffer(child.stdout)), "other bytes have arrived");
      assert.equal((await child.result).exitCode, 7);
    }),
    {
      title: "a run to its end reads a stream, too",
      async run({ sh }) {
        const stream = Readable.from([MEBIBYTE]);
        const { stdout } = succeeded(await sh("cat", {}, { stdin: { stream } }));
        assert(MEBIBYTE.equals(stdout ?? Buffer.alloc(0)));
        await refused(sh("cat", {}, { stdin: { stream: failing() } }), "STREAM_FAILED");
      },
    },
    ...inEveryWay("a stream is read no faster than the program reads", async (spawn) => {
      const { count, stream } = endless();
      const child = await spawn("echo ready; sleep 60", {}, { stdin: { stream } });
      assert.equal(await nextText(child.stdout), "ready\n");
      await new Promise((resolve) => setTimeout(resolve, 200));
      const { bytes } = count;
      child.kill("SIGKILL");
      child.stdout?.resume();
      await child.result;
      assert(bytes > 0 && bytes < ON_THE_WAY, `${bytes} bytes were read`);
    }),
    ...inEveryWay("a program that does not read all of a stream is content", async (spawn) => {
      const { count, stream } = endless();
      const child = await spawn("exec <&-; echo done; exit 7", {}, { stdin: { stream } });
      assert.equal(await nextText(child.stdout), "done\n");
      child.stdout?.resume();
      const { outcome, exitCode } = await child.result;
      assert.deepEqual([outcome, exitCode], ["exited", 7]);
      for (let waits = 0; !count.isReturned && waits < 500; waits += 1)
        await new Promise((resolve) => setTimeout(resolve, 20));
      assert(count.isReturned, "the stream was not let go");
    }),
    ...inEveryWay("a stream that fails ends the run with STREAM_FAILED", async (spawn) => {
      const script = "read -r word; cat; exit 7";
      const child = await spawn(script, {}, { stdin: { stream: failing() } });
      const { path, message, hint } = await refused(child.result, "STREAM_FAILED");
      assert.equal(path, "stdin");
      assert(message.includes("the disk is gone") && hint !== undefined, message);
    }),
  ],
};
