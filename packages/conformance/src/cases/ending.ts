import assert from "node:assert/strict";
import type { Topic } from "../case.js";
import { nextText, succeeded } from "../check.js";

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
