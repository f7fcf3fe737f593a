import { constants } from "node:os";
import { setImmediate, setTimeout } from "node:timers/promises";
import { SandboxError } from "../result/error.js";
import { isInit, startTimeOf } from "./processes.js";

/**
 * Pid 1 of a sandbox. Its start time tells it from a later process with the same pid. Node has no pidfds, so between the
 * check and a signal the pid could in theory be reused.
 */
export interface Init {
  readonly pid: number;
  readonly started: string | undefined;
}

const LIMIT = 5_000;
/** In milliseconds. For so long it is checked in every turn of the event loop, as it usually ends within that time. */
const EAGER = 1;

/**
 * Ends pid 1 of a sandbox, and waits until it is gone, or a zombie: then so is every process in there, see
 * pid_namespaces(7). False when it would not go.
 *
 * Nothing else proves that a sandbox is empty: the program may control pid 1 by ptrace(2), and then decides what pid 1
 * reports and which children it has.
 */
export async function gone(init: Init): Promise<boolean> {
  const since = performance.now();
  kill(init);
  while (isThere(init)) {
    const waited = performance.now() - since;
    if (waited > LIMIT) return false;
    await (waited < EAGER ? setImmediate() : setTimeout(1));
  }
  return true;
}

/** Kills pid 1 of a sandbox, unless it has gone. */
export function kill(init: Init): void {
  try {
    if (isThere(init)) process.kill(init.pid, constants.signals.SIGKILL);
  } catch {
    // It ended in the meantime.
  }
}

/** Identifies a pid 1 that is there. A process that is no pid 1 has the pid of one that is gone. */
export function initOf(pid: number): Init {
  return { pid, started: isInit(pid) ? startTimeOf(pid) : undefined };
}

/** The error for a process that would not die. */
export function stuck(): SandboxError {
  return new SandboxError(
    "CLEANUP_FAILED",
    "the run has ended, but a process of it would not die",
    {
      hint: "It is probably stuck in the kernel, waiting for a device or a network file system.",
    },
  );
}

function isThere({ pid, started }: Init): boolean {
  return started !== undefined && startTimeOf(pid) === started;
}
