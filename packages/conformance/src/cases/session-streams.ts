import assert from "node:assert/strict";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import type { Topic } from "../case.js";
import { nextText, refused, succeeded } from "../check.js";
import { elsewhere } from "../elsewhere.js";

const MEBIBYTE = Buffer.alloc(1024 * 1024, Buffer.from(Array.from({ length: 256 }, (_, i) => i)));
const TWO_LINES = "echo out; echo err >&2";
const LIST = 'for fd in /proc/self/fd/*; do [ -L "$fd" ] && echo "${fd##*/}"; done; :';

export const sessionStreams: Topic = {
  title: "streams of a session",
  cases: [
    {
      title: "a pipe that nobody reads is closed when its command has ended",
      needs: ["session"],
      async run({ session, words }) {
        const { spawn } = await session();
        const child = await spawn(words("echo word; echo word >&2"));
        await child.result;
        for (const stream of [child.stdout, child.stderr]) {
          if (stream?.closed === false)
            await Promise.race([once(stream, "close"), setTimeout(5_000)]);
          assert.equal(stream?.closed, true);
        }
      },
    },
    {
      title: "standard input is empty unless it is given, and a mebibyte passes through unchanged",
      needs: ["session"],
      async run({ session }) {
        const { run, sh } = await session();
        assert.equal(succeeded(await sh("cat; echo end")).out, "end\n");
        const { stdout } = await run(["cat"], { stdin: { data: MEBIBYTE } });
        assert(MEBIBYTE.equals(stdout ?? Buffer.alloc(0)));
      },
    },
    {
      title: "the outputs arrive apart, together, or not at all",
      needs: ["session"],
      async run({ session }) {
        const { sh } = await session();
        const apart = succeeded(await sh(TWO_LINES));
        assert.deepEqual([apart.out, apart.err], ["out\n", "err\n"]);
        const together = succeeded(await sh(`${TWO_LINES}; echo out`, { stderr: "stdout" }));
        assert.deepEqual([together.out, together.stderr], ["out\nerr\nout\n", undefined]);
        const one = succeeded(await sh(TWO_LINES, { stdout: "discard" }));
        assert.deepEqual([one.stdout, one.err], [undefined, "err\n"]);
      },
    },
    {
      title: "the streams of a spawned command flow while it runs",
      needs: ["session"],
      async run({ session, words }) {
        const opened = await session();
        const script = "echo ready >&2; while read word; do echo got $word; done; exit 7";
        const child = await opened.spawn(words(script));
        assert.equal(await nextText(child.stderr), "ready\n");
        for (const word of ["one", "two"]) {
          child.stdin?.write(`${word}\n`);
          assert.equal(await nextText(child.stdout), `got ${word}\n`);
        }
        child.stdin?.end();
        child.stdout?.resume();
        assert.equal((await child.result).exitCode, 7);
      },
    },
    {
      title: "files and fds of the caller are handed on, several commands' at a time",
      needs: ["session"],
      async run({ scratch, session }) {
        const { sh } = await session();
        const copy = async (index: number): Promise<void> => {
          const [input, output] = [join(scratch, `in-${index}`), join(scratch, `out-${index}`)];
          writeFileSync(input, `from a file ${index}\n`);
          const fd = openSync(output, "w");
          const options = { stdin: { file: input }, stdout: { fd }, stderr: "stdout" } as const;
          const ran = await sh("cat; echo err >&2", options).finally(() => closeSync(fd));
          assert.deepEqual([ran.exitCode, ran.stdout], [0, undefined]);
          assert.equal(readFileSync(output, "utf8"), `from a file ${index}\nerr\n`);
        };
        await Promise.all(Array.from({ length: 8 }, (_, index) => copy(index)));
        const file = join(scratch, "file");
        assert.equal(succeeded(await sh(TWO_LINES, { stderr: { file } })).out, "out\n");
        assert.equal(readFileSync(file, "utf8"), "err\n");
      },
    },
    {
      title: "a stream that cannot be opened is LAUNCH_FAILED, and the session goes on",
      needs: ["session"],
      async run({ scratch, session }) {
        const { sh } = await session();
        for (const stdin of [{ file: join(scratch, "no-such") }, { file: scratch }, { fd: 54_321 }])
          await refused(sh("cat", { stdin }), "LAUNCH_FAILED");
        assert.equal(succeeded(await sh("echo on")).out, "on\n");
      },
    },
    {
      title: "a command has the fds 0, 1 and 2 and no other, wherever they lead",
      needs: ["session", "mount.proc"],
      async run({ scratch, session }) {
        const { sh } = await session();
        const [input, file] = [join(scratch, "in"), join(scratch, "out")];
        writeFileSync(input, "");
        assert.equal(succeeded(await sh(LIST)).out, "0\n1\n2\n");
        assert.equal(succeeded(await sh(LIST, { stdin: { file: input } })).out, "0\n1\n2\n");
        succeeded(await sh(LIST, { stdout: { file }, stderr: "stdout" }));
        assert.equal(readFileSync(file, "utf8"), "0\n1\n2\n");
      },
    },
    {
      title:
        "a command inherits the caller's streams, and an open session does not keep the caller alive",
      needs: ["session"],
      async run(context) {
        const stdio = ["pipe", "pipe", "inherit"] as const;
        const script = "read -r word; echo got $word";
        const caller = await elsewhere(context, script, {}, [...stdio], "session");
        caller.stdin?.end("word\n");
        assert(caller.stdout !== null);
        assert.equal(await text(caller.stdout), "got word\n");
      },
    },
  ],
};
