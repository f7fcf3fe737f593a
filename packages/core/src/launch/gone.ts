import { setTimeout } from "node:timers/promises";
import { SandboxError } from "../result/error.js";
import { childrenOf, startTimeOf } from "./processes.js";

/** Pid 1 of a sandbox, told from a later process with the same pid by its start time. */
export interface Init {
  readonly pid: number;
  readonly started: string | undefined;
}

const LIMIT = 5_000;

/**
 * Waits until everything in a sandbox is gone; false when it would not go.
 *
 * When pid 1 of a pid namespace is gone, or a zombie, so is every process in it: pid_namespaces(7). Without a child it
 * is the last one, as orphans become its children, and only takes the namespaces down: no need to wait for that. But a
 * tool that was killed may have left a child of its own in the pid namespace, which became somebody else's.
 */
export async function gone({ pid, started }: Init, toolWasKilled: boolean): Promise<boolean> {
  const deadline = performance.now() + LIMIT;
  const isLast = (): boolean => !toolWasKilled && childrenOf(pid)?.length === 0;
  while (started !== undefined && !isLast() && startTimeOf(pid) === started) {
    if (performance.now() > deadline) return false;
    await setTimeout(1);
  }
  return true;
}

/** Remembers a pid 1 that is there. */
export function initOf(pid: number): Init {
  return { pid, started: startTimeOf(pid) };
}

/** What to say when something of a run would not go. */
export function stuck(): SandboxError {
  return new SandboxError(
    "CLEANUP_FAILED",
    "the run has ended, but a process of it would not die",
    {
      hint: "It is probably stuck in the kernel, waiting for a device or a network file system.",
    },
  );
}
