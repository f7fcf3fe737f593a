import { expect, test } from "vitest";
import type { Group } from "../../src/cgroup/group.js";
import { withStats } from "../../src/cgroup/stats.js";
import { CONTENT } from "../support/running.js";

const OWN = { userTime: 1, systemTime: 1, peakMemory: 4096, blockReads: 512, minorFaults: 7 };

test("what the cgroup does not tell of the whole sandbox is absent, not the program's own", () => {
  const stats = { usage: { userTime: 3, systemTime: 2 }, oomKills: 0, memoryWasFull: false };
  const group = { limits: {}, stats: () => stats } as unknown as Group;
  const { usage } = withStats({ ...CONTENT, usage: OWN }, group, true);
  // No cgroup ever counts faults.
  expect(usage).toEqual({ userTime: 3, systemTime: 2, minorFaults: 7 });
});
