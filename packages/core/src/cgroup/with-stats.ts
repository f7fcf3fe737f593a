import type { Ended } from "../backend/running.js";
import type { Group } from "./group.js";

/**
 * The end of a program, with what the cgroup of its sandbox has counted.
 *
 * @param isAlone - Whether the sandbox was for this program only, so that what the cgroup counts is its own.
 * @param before - Of a program that shares it: how many processes had been killed for want of memory before it.
 */
export function withStats<End extends Ended>(
  ended: End,
  group: Group,
  isAlone: boolean,
  before = 0,
): End {
  const { usage, oomKills, memoryWasFull } = group.stats();
  const bytes = group.limits.memory;
  return {
    ...ended,
    ...(isAlone && { usage: { ...uncountable(ended.usage), ...usage } }),
    ...(bytes !== undefined && memoryWasFull && oomKills > before && { outOfMemory: bytes }),
  };
}

/** What no cgroup counts. Of the rest, the program's own figure would pass for that of the whole sandbox. */
function uncountable(own: Ended["usage"] = {}): Ended["usage"] {
  return Object.fromEntries(Object.entries(own).filter(([name]) => UNCOUNTABLE.has(name)));
}

const UNCOUNTABLE: ReadonlySet<string> = new Set([
  "minorFaults",
  "majorFaults",
  "voluntarySwitches",
  "involuntarySwitches",
]);
