import type { Limits } from "../../config/types.js";
import { cpuTimeOf, treeFrom } from "../../host/processes.js";

/**
 * Looks now and then how much processor time the processes below a tool have used: a tool of somebody else's tells no usage,
 * and a program that ignores SIGXCPU is killed as by anybody. Returns what ends that and tells the most seconds that any
 * one process was seen to have used; undefined where there is no limit.
 */
export function watchCpuTime(
  tool: number | undefined,
  { cpuTime }: Limits,
): () => number | undefined {
  if (tool === undefined || cpuTime === undefined) return () => undefined;
  let most = 0;
  const look = (): void => {
    for (const pid of treeFrom(tool)) most = Math.max(most, cpuTimeOf(pid) ?? 0);
  };
  const timer = setInterval(look, LOOK_EVERY).unref();
  return () => {
    clearInterval(timer);
    return most;
  };
}

/** In milliseconds. Between the two limits lies a second, of which the last half can be told from the first. */
const LOOK_EVERY = 100;
