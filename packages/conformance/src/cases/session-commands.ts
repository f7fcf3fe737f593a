import assert from "node:assert/strict";
import { type Session, signalName } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { nextText, succeeded } from "../check.js";
import { readable } from "../opened.js";

const FOREVER = "echo ready; while :; do sleep 1; done";

export const sessionCommands: Topic = {
  title: "commands of a session",
  cases: [
    {
      title: "exit statuses from 0 to 255 and signals arrive as they were",
      needs: ["session", "exit.signal"],
      async run({ session }) {
        const { sh } = await session();
        const exits = async (status: number): Promise<void> => {
          const { outcome, exitCode } = await sh(["exit $1", String(status)]);
          assert.deepEqual([outcome, exitCode], ["exited", status]);
        };
        for (let from = 0; from < 256; from += 32)
          await Promise.all(Array.from({ length: 32 }, (_, index) => exits(from + index)));
        for (const number of [1, 9, 11, 15, 34, 64]) {
          const { outcome, signal } = await sh(["kill -$1 $$", String(number)]);
          assert.deepEqual([outcome, signal], ["signaled", signalName(number)]);
        }
      },
    },
    {
      title: "ten commands run at the same time, each with its own streams and end",
      needs: ["session"],
      proves: ["session"],
      async run({ session, words }) {
        const opened = await session();
        const script = 'echo ready; read -r word; echo "$1 $word"; echo "error $1" >&2; exit $1';
        const start = async (index: number) => opened.spawn(words([script, String(index)]));
        const children = await Promise.all(Array.from({ length: 10 }, (_, index) => start(index)));
        for (const { stdout } of children) assert.equal(await nextText(stdout), "ready\n");
        for (const [index, child] of [...children.entries()].reverse()) {
          const texts = Promise.all([nextText(child.stdout), nextText(child.stderr)]);
          child.stdin?.end(`word${index}\n`);
          assert.deepEqual(await texts, [`${index} word${index}\n`, `error ${index}\n`]);
          assert.equal((await child.result).exitCode, index);
        }
      },
    },
    {
      title: "a hundred commands, many at a time, each get their own output",
      needs: ["session"],
      async run({ session }) {
        const { run } = await session();
        const echo = async (index: number): Promise<void> => {
          const data = Buffer.alloc(3000 * (index % 10) + 1, `${index} `);
          const { stdout, exitCode } = await run(["cat"], { stdin: { data } });
          assert.equal(exitCode, 0);
          assert(data.equals(stdout ?? Buffer.alloc(0)), `command ${index}`);
        };
        for (let at = 0; at < 100; at += 20)
          await Promise.all(Array.from({ length: 20 }, (_, index) => echo(at + index)));
      },
    },
    {
      title: "a command that runs longer than its own wallTime is ended as timed-out, and no other",
      needs: ["session", "limit.wallTime"],
      async run({ session, words }) {
        const opened = await session({ limits: { wallTime: 60 } });
        const other = await opened.spawn(words("echo ready; read -r go; exit 7"));
        assert.equal(await nextText(other.stdout), "ready\n");
        const ran = await opened.sh(FOREVER, { limits: { wallTime: 3 } });
        assert.deepEqual([ran.outcome, ran.out], ["timed-out", "ready\n"]);
        await endsWith7(other);
      },
    },
    {
      title: "an AbortSignal ends its own command as aborted, and no other",
      needs: ["session"],
      async run({ session, words }) {
        const opened = await session();
        const other = await opened.spawn(words("echo ready; read -r go; exit 7"));
        const controller = new AbortController();
        const child = await opened.spawn(words(FOREVER), { signal: controller.signal });
        for (const { stdout } of [other, child]) assert.equal(await nextText(stdout), "ready\n");
        controller.abort();
        child.stdout?.resume();
        assert.equal((await child.result).outcome, "aborted");
        const late = await opened.sh(FOREVER, { signal: AbortSignal.abort() });
        assert.equal(late.outcome, "aborted");
        await endsWith7(other);
      },
    },
    {
      title: "kill sends its signal to its own command, which may handle it",
      needs: ["session"],
      async run({ session, words }) {
        const opened = await session();
        const script = `trap 'exit 42' TERM; ${FOREVER}`;
        const [one, two] = [await opened.spawn(words(script)), await opened.spawn(words(script))];
        for (const { stdout } of [one, two]) assert.equal(await nextText(stdout), "ready\n");
        assert.equal(one.kill(), true);
        one.stdout?.resume();
        assert.equal((await one.result).exitCode, 42);
        assert.equal(one.kill(), false);
        two.stdout?.resume();
        assert.equal(two.kill("SIGKILL"), true);
        assert.equal((await two.result).signal, "SIGKILL");
      },
    },
    {
      title: "a command that writes more than maxOutput is ended, and the session goes on",
      needs: ["session"],
      async run({ session }) {
        const { sh } = await session();
        const ran = await sh("while :; do echo word; done", { maxOutput: 5000 });
        assert.deepEqual(
          [ran.outcome, ran.exceeded],
          ["limit-exceeded", { limit: "stdout", bytes: 5000 }],
        );
        assert.equal(ran.out, "word\n".repeat(1000));
        assert.equal(succeeded(await sh("echo on")).out, "on\n");
      },
    },
    {
      title: "a process that holds the output of its command open does not keep it from ending",
      needs: ["session"],
      async run({ session, words }) {
        const opened = await session();
        const endless = `trap "" HUP INT TERM PIPE; while :; do sleep 1; done`;
        const result = opened.run(words(`sh -c '${endless}' "$0" & echo done; exit 7`));
        const { outcome, exitCode, out } = readable(await result);
        assert.deepEqual([outcome, exitCode, out], ["exited", 7, "done\n"]);
      },
    },
  ],
};

/** Lets a command end that was waiting for a word. */
async function endsWith7(child: Awaited<ReturnType<Session["spawn"]>>): Promise<void> {
  child.stdout?.resume();
  child.stdin?.end("go\n");
  const { outcome, exitCode } = await child.result;
  assert.deepEqual([outcome, exitCode], ["exited", 7]);
}
