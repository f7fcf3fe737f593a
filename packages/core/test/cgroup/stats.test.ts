import { expect, test } from "vitest";
import type { ParentCgroup } from "../../src/cgroup/parent.js";
import { statsOf } from "../../src/cgroup/stats.js";
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
