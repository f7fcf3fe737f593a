import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { ConfigInput, SandboxChild } from "@sandboxlib/core";
import type { Case, Topic } from "../case.js";
import { nextText } from "../check.js";
import { hasBegun, lasting } from "../host/processes.js";
import { inEveryWay } from "../ways.js";

const LOOP = "echo ready; while :; do sleep 0.1; done";

/** Waits until the program says that it is ready, and discards its later output. */
async function ready(child: SandboxChild): Promise<void> {
  assert.equal(await nextText(child.stdout), "ready\n");
  child.stdout?.resume();
}

const OTHER = "/mnt/other";
const SHARED: Omit<Case, "title" | "run"> = { needs: ["root", "mount.bind"] };

function shares(source: string): ConfigInput {
  return { mounts: [{ type: "bind", source, target: OTHER }] };
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
      // What stops itself only after it was told to go on stays stopped.
      await setTimeout(200);
      controller.abort();
      const { outcome, afterStop } = await child.result;
      assert.deepEqual([outcome, afterStop], ["aborted", { exitCode: 42 }]);
    }),
    ...inEveryWay(
      "a command whose signal was aborted before does not begin",
      async (spawn, { scratch }) => {
        for (let round = 0; round < 5; round += 1) {
          const options = { signal: AbortSignal.abort() };
          const child = await spawn(`echo > ${OTHER}/ran`, shares(scratch), options);
          assert.equal((await child.result).outcome, "aborted");
        }
        assert.equal(existsSync(join(scratch, "ran")), false);
      },
      SHARED,
    ),
    ...inEveryWay(
      "no command begins after its signal was aborted",
      async (spawn, { scratch, marker }) => {
        let took = Number.POSITIVE_INFINITY;
        // The first may take much longer, and all aborts would then come too late.
        for (let round = 0; round < 3; round += 1) {
          const before = performance.now();
          await (await spawn("exit 0", shares(scratch))).result;
          took = Math.min(took, performance.now() - before);
        }
        let late = 0;
        for (let round = 0; round < 20; round += 1) {
          const controller = new AbortController();
          const { signal } = controller;
          const ran = join(scratch, `ran-${round}`);
          const starting = spawn(`echo > ${OTHER}/ran-${round}`, shares(scratch), { signal });
          // The waits go from none at all, for what begins at once, to about the time at which others begin.
          if (round > 4) await setTimeout((took * (round - 4)) / 16);
          controller.abort();
          const hadBegun = hasBegun(marker) || existsSync(ran);
          await (await starting).result;
          if (!hadBegun && existsSync(ran)) late += 1;
        }
        // An exec that was on its way already cannot be told from one that came too late.
        assert(late <= 1, `${late} of 20 have begun after that`);
      },
      SHARED,
    ),
  ],
};
