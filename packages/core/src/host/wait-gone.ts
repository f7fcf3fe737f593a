import { constants } from "node:os";
import { setImmediate, setTimeout } from "node:timers/promises";
import { SandboxError } from "../result/error.js";
import { isInit, startTimeOf } from "./processes.js";

/**
 * Pid 1 of a sandbox, told from a later process with the same pid by its start time: Node has no pidfds, so a moment
 * remains between a look and a signal.
 */
export interface Init {
  readonly pid: number;
  readonly started: string | undefined;
}

const LIMIT = 5_000;
/** In milliseconds: how long it usually takes, during which it is looked at in every turn of the event loop. */
const EAGER = 1;

/**
 * Ends pid 1 of a sandbox, and waits until it is gone, or a zombie: then so is every process in there, see
 * pid_namespaces(7). False when it would not go.
 *
 * Nothing less will do. The program may have taken pid 1 over with ptrace(2), and what it has told a tool, or which
 * children and signals it has, is the program's choice then.
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

/** Remembers a pid 1 that is there. What is no pid 1 has the pid of one that is gone. */
export function initOf(pid: number): Init {
  return { pid, started: isInit(pid) ? startTimeOf(pid) : undefined };
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

function isThere({ pid, started }: Init): boolean {
  return started !== undefined && startTimeOf(pid) === started;
}
