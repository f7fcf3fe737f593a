import { expect, test } from "vitest";
import type { Group } from "../../src/cgroup/group.js";
import type { ParentCgroup } from "../../src/cgroup/hierarchy.js";
import { statsOf, withStats } from "../../src/cgroup/stats.js";
import { CONTENT } from "../support/running.js";
import { temporary } from "../support/temporary.js";

const V2 = { version: 2 } as ParentCgroup;

test.each([
  ["low 0\nhigh 0\nmax 812\noom 0\noom_kill 1\n", false],
  ["low 0\nhigh 0\nmax 812\noom 1\noom_kill 1\n", true],
])("a limit that the page cache alone has hit is not want of memory: %j", (events, wasFull) => {
  const directory = temporary({ "memory.events": events });
  const { memoryWasFull, oomKills } = statsOf(new Map([[V2, directory]]));
  expect([memoryWasFull, oomKills]).toEqual([wasFull, 1]);
});

const OWN = { userTime: 1, systemTime: 1, peakMemory: 4096, blockReads: 512, minorFaults: 7 };

test("what the cgroup does not tell of the whole sandbox is absent, not the program's own", () => {
  const stats = { usage: { userTime: 3, systemTime: 2 }, oomKills: 0, memoryWasFull: false };
  const group = { limits: {}, stats: () => stats } as unknown as Group;
  const { usage } = withStats({ ...CONTENT, usage: OWN }, group, true);
  // No cgroup ever counts faults.
  expect(usage).toEqual({ userTime: 3, systemTime: 2, minorFaults: 7 });
});
