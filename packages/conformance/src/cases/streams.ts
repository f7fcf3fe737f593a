import assert from "node:assert/strict";
import { isMainThread } from "node:worker_threads";
import type { Topic } from "../case.js";
import { nextText, succeeded } from "../check.js";
import { inEveryWay } from "../ways.js";

const EVERY_BYTE = Buffer.from(Array.from({ length: 1024 }, (_, index) => index % 256));
const MEBIBYTE = Buffer.alloc(1024 * 1024, EVERY_BYTE);

const PROC = { mounts: [{ type: "proc", target: "/proc" }] } as const;
const DEV = { mounts: [{ type: "dev", target: "/dev" }] } as const;

export const streams: Topic = {
  title: "streams",
  isBare: true,
  cases: [
    {
      title: "standard output and standard error arrive apart, byte for byte",
      async run({ sh }) {
        const twice = await sh("cat; echo error >&2", {}, { stdin: { data: EVERY_BYTE } });
        const { stdout, err } = succeeded(twice);
        assert.deepEqual(Buffer.from(stdout ?? []), EVERY_BYTE);
        assert.equal(err, "error\n");
        const { out, stderr } = await sh("cat >&2", {}, { stdin: { data: EVERY_BYTE } });
        assert.deepEqual([out, Buffer.from(stderr ?? [])], ["", EVERY_BYTE]);
      },
    },
    {
      title: "standard input is empty unless it is given",
      async run({ sh }) {
        assert.equal(succeeded(await sh("cat; echo end")).out, "end\n");
      },
    },
    {
      title: "a mebibyte passes through unchanged",
      async run({ run }) {
        const { stdout } = succeeded(await run(["cat"], {}, { stdin: { data: MEBIBYTE } }));
        assert(MEBIBYTE.equals(stdout ?? Buffer.alloc(0)));
      },
    },
    {
      title: "as much as a program writes flows through a pipe, though it is read slowly",
      needs: ["root", "mount.dev"],
      async run({ spawn }) {
        const bytes = 64 * MEBIBYTE.length;
        const child = await spawn(`head -c ${bytes} /dev/zero`, DEV);
        let read = 0;
        for await (const chunk of child.stdout ?? []) {
          if (read === 0) await new Promise((resolve) => setTimeout(resolve, 100));
          read += (chunk as Buffer).length;
        }
        assert.deepEqual([read, (await child.result).exitCode], [bytes, 0]);
      },
    },
    {
      title: "a program that writes more than maxOutput is ended, and the result says which limit",
      async run({ sh }) {
        for (const [limit, where] of [
          ["stdout", ""],
          ["stderr", ">&2"],
        ] as const) {
          const ran = await sh(`while :; do echo word; done ${where}`, {}, { maxOutput: 5000 });
          assert.deepEqual([ran.outcome, ran.exceeded], ["limit-exceeded", { limit, bytes: 5000 }]);
          assert.equal(Buffer.from(ran[limit] ?? []).toString(), "word\n".repeat(1000));
        }
      },
    },
    {
      title: "output that was cut is limit-exceeded, also of a program that has ended by itself",
      async run({ sh }) {
        for (let round = 0; round < 5; round += 1) {
          const ran = await sh("printf %020000d 0", {}, { maxOutput: 5000 });
          const limit = { limit: "stdout", bytes: 5000 };
          assert.deepEqual([ran.outcome, ran.exceeded], ["limit-exceeded", limit]);
          assert.equal(ran.stdout?.length, 5000);
        }
      },
    },
    {
      title: "a program that writes exactly maxOutput is not ended",
      async run({ run }) {
        const options = { stdin: { data: EVERY_BYTE }, maxOutput: EVERY_BYTE.length };
        const { stdout } = succeeded(await run(["cat"], {}, options));
        assert.equal(stdout?.length, EVERY_BYTE.length);
      },
    },
    ...inEveryWay("a listener has had all of the output when there is a result", async (spawn) => {
      for (let round = 0; round < 5; round += 1) {
        const child = await spawn("printf %040000d 7; printf %030000d 8 >&2");
        let got = 0;
        for (const stream of [child.stdout, child.stderr])
          stream?.on("data", (chunk: Buffer) => {
            got += chunk.length;
          });
        await child.result;
        assert.equal(got, 70_000);
      }
    }),
    ...inEveryWay(
      "standard streams are pipes, which can be opened by their names",
      async (spawn) => {
        const child = await spawn(
          "cat /proc/self/fd/0 && echo out >/proc/self/fd/1 && echo error >/proc/self/fd/2",
          PROC,
        );
        const [out, error] = [child.stdout?.toArray(), child.stderr?.toArray()];
        child.stdin?.end("in\n");
        assert.equal((await child.result).exitCode, 0);
        assert.equal(Buffer.concat((await out) ?? []).toString(), "in\nout\n");
        assert.equal(Buffer.concat((await error) ?? []).toString(), "error\n");
      },
      { needs: ["mount.proc"], skip: noPipes },
    ),
    ...inEveryWay(
      "a program whose reader has gone gets SIGPIPE",
      async (spawn) => {
        const child = await spawn("while :; do echo word; done; exit 7");
        child.stdout?.once("data", () => child.stdout?.destroy());
        const { outcome, signal, exitCode } = await child.result;
        assert(
          outcome === "exited" ? exitCode === 141 : signal === "SIGPIPE",
          `the run ended as ${outcome} ${exitCode ?? signal}`,
        );
      },
      { skip: noPipes },
    ),
    {
      title: "the streams of a spawned program flow while it runs",
      async run({ spawn }) {
        const child = await spawn(
          "echo ready >&2; while read word; do echo got $word; done; exit 7",
        );
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
  ],
};

/** Node itself makes sockets. */
function noPipes(): string | undefined {
  return isMainThread && process.platform === "linux"
    ? undefined
    : "pipes are made in the main thread on Linux only";
}

/** Apart from the others, which take memory of this process as well. */
export const endlessOutput: Topic = {
  title: "endless output",
  isAlone: true,
  isBare: true,
  cases: [
    {
      title:
        "output without an end is cut in bounded time, and takes little more memory than maxOutput",
      needs: ["root", "mount.dev"],
      async run({ sh }) {
        const before = process.memoryUsage().rss;
        const ran = await sh("cat /dev/zero", DEV, { maxOutput: 8 * MEBIBYTE.length });
        const more = process.memoryUsage().rss - before;
        assert.deepEqual(ran.exceeded, { limit: "stdout", bytes: 8 * MEBIBYTE.length });
        assert.equal(ran.stdout?.length, 8 * MEBIBYTE.length);
        assert(ran.usage.wallTime < 10, `took ${ran.usage.wallTime} s`);
        assert(more < 256 * MEBIBYTE.length, `took ${more} bytes`);
      },
    },
  ],
};
