import assert from "node:assert/strict";
import { setImmediate, setTimeout } from "node:timers/promises";
import { signalName } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { nextText, succeeded } from "../check.js";
import { inEveryWay } from "../ways.js";

const FOREVER = "echo ready; while :; do sleep 1; done";

export const ending: Topic = {
  title: "ending a run",
  cases: [
    {
      title:
        "a program that runs longer than limits.wallTime is ended as timed-out, and keeps what it wrote",
      needs: ["limit.wallTime"],
      async run({ sh }) {
        const { outcome, exitCode, out, usage } = await sh(FOREVER, { limits: { wallTime: 3 } });
        assert.deepEqual([outcome, exitCode, out], ["timed-out", undefined, "ready\n"]);
        assert(usage.wallTime >= 3 && usage.wallTime < 20, `took ${usage.wallTime} s`);
      },
    },
    {
      title: "a program that ends within limits.wallTime keeps its exit status",
      needs: ["limit.wallTime"],
      async run({ sh }) {
        const { outcome, exitCode } = await sh("exit 7", { limits: { wallTime: 60 } });
        assert.deepEqual([outcome, exitCode], ["exited", 7]);
      },
    },
    {
      title: "an AbortSignal ends the run as aborted",
      async run({ spawn }) {
        const controller = new AbortController();
        const child = await spawn(FOREVER, {}, { signal: controller.signal });
        assert.equal(await nextText(child.stdout), "ready\n");
        controller.abort();
        assert.equal((await child.result).outcome, "aborted");
      },
    },
    {
      title: "a run whose AbortSignal was aborted before is aborted",
      async run({ sh }) {
        assert.equal((await sh(FOREVER, {}, { signal: AbortSignal.abort() })).outcome, "aborted");
      },
    },
    {
      title: "an AbortSignal that comes too late changes nothing",
      async run({ sh }) {
        const controller = new AbortController();
        const ran = await sh("exit 7", {}, { signal: controller.signal });
        controller.abort();
        assert.deepEqual([ran.outcome, ran.exitCode], ["exited", 7]);
      },
    },
    {
      title: "kill sends its signal to the program, which may handle it",
      async run({ spawn }) {
        for (const [signal, name] of [
          [undefined, "TERM"],
          ["SIGUSR1", "USR1"],
        ] as const) {
          const child = await spawn(`trap 'exit 42' ${name}; ${FOREVER}`);
          assert.equal(await nextText(child.stdout), "ready\n");
          assert.equal(child.kill(signal), true);
          child.stdout?.resume();
          const { outcome, exitCode } = await child.result;
          assert.deepEqual([outcome, exitCode], ["exited", 42], name);
          assert.equal(child.kill(signal), false);
        }
      },
    },
    ...inEveryWay(
      "what a terminal sends reaches what the program waits for, and another signal does not",
      async (spawn, { kit }) => {
        const ends = async (signal: NodeJS.Signals, script: string): Promise<string> => {
          const child = await spawn(script);
          assert.equal(await nextText(child.stdout), "ready\n");
          // By now it waits.
          await setTimeout(200);
          child.kill(signal);
          // A tool may tell what is left to end when the program has: what comes first counts.
          const [said = ""] = (await nextText(child.stdout)).split("\n");
          const { outcome, exitCode } = await child.result;
          assert.deepEqual([outcome, exitCode], ["exited", 42], signal);
          return said;
        };
        for (const name of ["INT", "HUP"] as const) {
          const waits = `trap 'echo over; exit 42' ${name}; echo ready; sleep 20; echo late`;
          assert.equal(await ends(`SIG${name}`, waits), "over");
        }
        if (!kit.has.has("tree.kill")) return;
        const child = "trap 'echo heard' TERM; echo ready; while :; do sleep 0.1; done";
        const apart = `trap 'sleep 0.3; echo over; exit 42' TERM; (${child}) & while :; do wait; done`;
        assert.equal(await ends("SIGTERM", apart), "over");
      },
    ),
    ...inEveryWay(
      "a signal that does not exist is a TypeError, and a real-time one is sent",
      async (spawn) => {
        const child = await spawn(`trap 'exit 42' 36; ${FOREVER}`);
        assert.equal(await nextText(child.stdout), "ready\n");
        child.stdout?.resume();
        assert.throws(() => child.kill("SIGNONE" as NodeJS.Signals), TypeError);
        assert.equal(child.kill(signalName(36)), true);
        const { outcome, exitCode } = await child.result;
        assert.deepEqual([outcome, exitCode], ["exited", 42]);
      },
    ),
    ...inEveryWay("signals that come as a program ends do not hide how it ended", async (spawn) => {
      for (let round = 0; round < 5; round += 1) {
        const child = await spawn("trap '' USR1; echo ready; sleep 0.1; exit 7");
        assert.equal(await nextText(child.stdout), "ready\n");
        child.stdout?.resume();
        while (child.kill("SIGUSR1")) await setImmediate();
        const { outcome, exitCode } = await child.result;
        assert.deepEqual([outcome, exitCode], ["exited", 7]);
      }
    }),
    {
      title: "SIGKILL ends the run, which is never reported as exit status 0",
      async run({ spawn }) {
        const child = await spawn(`trap '' TERM HUP INT; ${FOREVER}`);
        assert.equal(await nextText(child.stdout), "ready\n");
        child.kill("SIGKILL");
        child.stdout?.resume();
        const { outcome, exitCode, signal } = await child.result;
        assert(
          (outcome === "signaled" && signal === "SIGKILL") ||
            (outcome === "exited" && exitCode === 137),
          `${outcome} ${exitCode ?? signal}`,
        );
      },
    },
    {
      title: "disposing of a child ends it",
      async run({ spawn }) {
        const child = await spawn(FOREVER);
        assert.equal(await nextText(child.stdout), "ready\n");
        child.stdout?.resume();
        await child[Symbol.asyncDispose]();
        assert.equal(child.kill(), false);
      },
    },
    {
      title: "the usage tells how long the run took",
      async run({ sh }) {
        const before = performance.now();
        const { usage } = succeeded(await sh("sleep 1"));
        const most = (performance.now() - before) / 1000;
        assert(usage.wallTime >= 1 && usage.wallTime <= most, `${usage.wallTime} s of ${most} s`);
      },
    },
  ],
};
