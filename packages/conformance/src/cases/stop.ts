import assert from "node:assert/strict";
import type { SandboxChild } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { nextText } from "../check.js";
import { lasting } from "../host/processes.js";
import { inEveryWay } from "../ways.js";

const LOOP = "echo ready; while :; do sleep 0.1; done";

/** Waits until the program is there, and lets what it says next go. */
async function ready(child: SandboxChild): Promise<void> {
  assert.equal(await nextText(child.stdout), "ready\n");
  child.stdout?.resume();
}

/** How a run ends that times out or is aborted. */
export const stop: Topic = {
  title: "stop",
  isBare: true,
  cases: [
    ...inEveryWay(
      "a program that times out gets the signal of stop, and the result tells how it ended",
      async (spawn) => {
        const config = {
          limits: { wallTime: 3 },
          stop: { signal: "SIGINT", grace: 20 },
        } as const;
        const child = await spawn(`trap 'exit 42' INT; ${LOOP}`, config);
        await ready(child);
        const { outcome, exitCode, afterStop, usage } = await child.result;
        assert.deepEqual(
          [outcome, exitCode, afterStop],
          ["timed-out", undefined, { exitCode: 42 }],
        );
        assert(usage.wallTime >= 3 && usage.wallTime < 15, `took ${usage.wallTime} s`);
      },
      { needs: ["limit.wallTime"] },
    ),
    ...inEveryWay(
      "what does not end within the grace period is ended with all that it started",
      async (spawn, { kit, marker }) => {
        const controller = new AbortController();
        const script = `trap '' TERM; sh -c 'while :; do sleep 1; done' "$0" & ${LOOP}`;
        const child = await spawn(script, { stop: { grace: 0.3 } }, { signal: controller.signal });
        await ready(child);
        const before = performance.now();
        controller.abort();
        const { outcome, afterStop } = await child.result;
        const took = performance.now() - before;
        assert.deepEqual([outcome, afterStop], ["aborted", undefined]);
        assert(took >= 290 && took < 10_000, `took ${took} ms`);
        if (kit.has.has("tree.kill")) assert.deepEqual(await lasting(marker), []);
      },
    ),
    ...inEveryWay("a stopped program can act on the signal of stop", async (spawn) => {
      const controller = new AbortController();
      const script = `trap 'exit 42' TERM; echo ready; kill -STOP $$; ${LOOP}`;
      const child = await spawn(script, { stop: { grace: 20 } }, { signal: controller.signal });
      await ready(child);
      controller.abort();
      const { outcome, afterStop } = await child.result;
      assert.deepEqual([outcome, afterStop], ["aborted", { exitCode: 42 }]);
    }),
  ],
};
