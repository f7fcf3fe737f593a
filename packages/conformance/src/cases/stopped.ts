import assert from "node:assert/strict";
import type { Topic } from "../case.js";
import { nextText } from "../check.js";
import { inEveryWay } from "../ways.js";

/** Programs that are stopped: signal(7). */
export const stopped: Topic = {
  title: "stopped programs",
  isBare: true,
  cases: [
    ...inEveryWay("a program that stops itself goes on with SIGCONT", async (spawn) => {
      const child = await spawn("echo ready; kill -STOP $$; echo on; exit 7");
      assert.equal(await nextText(child.stdout), "ready\n");
      const ended = child.result.then(() => "ended");
      const asleep = new Promise((resolve) => setTimeout(() => resolve("stopped"), 200));
      assert.equal(await Promise.race([ended, asleep]), "stopped");
      assert.equal(child.kill("SIGCONT"), true);
      // A signal that comes before the program has stopped is lost.
      const again = setInterval(() => child.kill("SIGCONT"), 200);
      const over = (): void => clearInterval(again);
      child.result.then(over, over);
      assert.equal(await nextText(child.stdout), "on\n");
      child.stdout?.resume();
      const { outcome, exitCode } = await child.result;
      assert.deepEqual([outcome, exitCode], ["exited", 7]);
    }),
    ...inEveryWay(
      "a program that stops itself does not escape its time limit",
      async (spawn) => {
        const child = await spawn("kill -STOP $$; exit 7", { limits: { wallTime: 0.3 } });
        const { outcome, usage } = await child.result;
        assert.equal(outcome, "timed-out");
        assert(usage.wallTime < 10, `took ${usage.wallTime} s`);
      },
      { needs: ["limit.wallTime"] },
    ),
    {
      title: "a stopped process that holds the output open does not keep a run from ending",
      async run({ sh }) {
        const endless = "kill -STOP $$; while :; do sleep 1; done";
        const before = performance.now();
        // With nothing open in a mount, which could not be taken away then.
        const script = `sh -c '${endless}' "$0" <&0 & sleep 0.2; echo done; exit 7`;
        const { outcome, exitCode, out } = await sh(script, { mounts: [] });
        assert.deepEqual([outcome, exitCode, out], ["exited", 7, "done\n"]);
        assert(performance.now() - before < 10_000);
      },
    },
  ],
};
