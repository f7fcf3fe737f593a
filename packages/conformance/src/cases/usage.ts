import assert from "node:assert/strict";
import type { SandboxResult } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";

const BUSY = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done";

export const usage: Topic = {
  title: "usage",
  cases: [
    {
      title: "what a run took is told rightly, as far as it is told",
      async run({ sh }) {
        assertSane(succeeded(await sh(BUSY)));
      },
    },
    {
      title:
        "a run that is ended tells as much of what it took as one that ends, its children's included, or nothing",
      needs: ["limit.wallTime"],
      async run({ sh }) {
        const done = succeeded(await sh(BUSY));
        const ended = await sh(`(${BUSY}; exec sleep 60); :`, { limits: { wallTime: 2 } });
        assert.equal(ended.outcome, "timed-out");
        assertSane(ended);
        const told = Object.keys(ended.usage);
        assert.deepEqual(told, told.length === 1 ? ["wallTime"] : Object.keys(done.usage));
      },
    },
    {
      title: "what a command of a session took is told rightly, and is its own",
      needs: ["session"],
      async run({ session }) {
        const { sh } = await session();
        const [busy, idle] = [succeeded(await sh(BUSY)), succeeded(await sh(":"))];
        assertSane(busy);
        const time = ({ usage: { userTime = 0, systemTime = 0 } }: SandboxResult): number =>
          userTime + systemTime;
        assert(busy.usage.userTime === undefined || time(idle) < time(busy));
      },
    },
    {
      title: "what a run in a pool took is told rightly",
      needs: ["pool"],
      async run({ pool }) {
        const { ready, sh } = await pool(1);
        await ready();
        assertSane(succeeded(await sh(BUSY)));
      },
    },
  ],
};

function assertSane({ usage }: SandboxResult): void {
  const { wallTime, userTime, systemTime, peakMemory } = usage;
  assert(wallTime > 0);
  if (userTime !== undefined)
    assert(userTime > 0 && userTime <= wallTime + 0.1, `${userTime} s of ${wallTime} s`);
  if (systemTime !== undefined)
    assert(systemTime >= 0 && systemTime <= wallTime + 0.1, `${systemTime} s of ${wallTime} s`);
  if (peakMemory !== undefined)
    assert(peakMemory >= 65_536 && peakMemory < 2 ** 30, `${peakMemory} bytes`);
  const { voluntarySwitches, involuntarySwitches, minorFaults } = usage;
  const { majorFaults, blockReads, blockWrites } = usage;
  for (const count of [voluntarySwitches, involuntarySwitches, majorFaults])
    assert(count === undefined || Number.isSafeInteger(count), `${count} times`);
  assert(minorFaults === undefined || minorFaults > 10, `${minorFaults} faults`);
  for (const bytes of [blockReads, blockWrites])
    assert(bytes === undefined || bytes % 512 === 0, `${bytes} bytes`);
}
