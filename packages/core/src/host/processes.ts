import type { ChildProcess } from "node:child_process";
import { readdirSync, readlinkSync } from "node:fs";
import { constants } from "node:os";
import { setImmediate, setTimeout } from "node:timers/promises";
import { SandboxError } from "../result/error.js";
import { contentOf } from "./host.js";

/**
 * The children of a process, those of each thread oldest first; undefined where the kernel does not tell (proc(5),
 * `children`).
 */
export function childrenOf(pid: number): number[] | undefined {
  const lists = threadsOf(pid).map((thread) =>
    contentOf(`/proc/${pid}/task/${thread}/children`)?.split(" "),
  );
  const words = lists.flatMap((list) => list ?? []);
  return lists[0] && words.filter((word) => word !== "").map(Number);
}

/** The threads of a process, the first one first: a child belongs to the thread that forked it. */
function threadsOf(pid: number): readonly (string | number)[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.length > 0 ? threads : [pid];
  } catch {
    return [pid];
  }
}

/** The processes below a process that are in a pid namespace of their own, parents first, each with its pid in there. */
export function insideOf(pid: number): { readonly pid: number; readonly inside: number }[] {
  return treeFrom(pid).flatMap((each) => {
    const inside = pidsOf(each);
    return inside.length > depth() ? [{ pid: each, inside: inside.at(-1) ?? 0 }] : [];
  });
}

/**
 * What kill(2) is to be given for everything in the process group of a process. Where the group is not its own, as it
 * may hold a tool too, that is the process and what is below it.
 */
export function groupFrom(pid: number): number[] {
  const group = groupOf(pid);
  if (group === pid) return [-pid];
  return treeFrom(pid).filter((each) => groupOf(each) === group);
}

/** A process and all that is below it, parents first. */
export function treeFrom(pid: number): number[] {
  const found = [pid];
  // The list grows while it is walked.
  for (const each of found) found.push(...(childrenOf(each) ?? []));
  return found;
}

/** Whether a process is pid 1 of a pid namespace below ours. */
function isInit(pid: number): boolean {
  const pids = pidsOf(pid);
  return pids.at(-1) === 1 && pids.length > depth();
}

let own: number | undefined;

/** In how many pid namespaces this process is, for as long as it lives. */
function depth(): number {
  own ??= pidsOf("self").length;
  return own;
}

/** The pids of a process, from our namespace to its own: proc(5), `NSpid`. Unlike /proc/PID/ns, everybody may read it. */
function pidsOf(pid: number | "self"): number[] {
  const [, pids = ""] = /^NSpid:\s+(.*)$/m.exec(contentOf(`/proc/${pid}/status`) ?? "") ?? [];
  return pids.split(/\s+/).filter(Boolean).map(Number);
}

/**
 * What tells a process from a later one with the same pid: its start time, in clock ticks. Undefined when it is gone. One
 * whose first thread alone has ended looks like a zombie, and is none.
 */
export function startTimeOf(pid: number): string | undefined {
  const fields = statFields(pid);
  const isDead = fields?.[0] === "X" || (fields?.[0] === "Z" && Number(fields[17]) <= 1);
  return isDead ? undefined : fields?.[19];
}

/** The inode of a namespace of a process, as namespaces(7) numbers them. */
export function namespaceOf(pid: number | "self", name: string): number | undefined {
  try {
    const [, inode] = /\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/ns/${name}`)) ?? [];
    return inode === undefined ? undefined : Number(inode);
  } catch {
    return undefined;
  }
}

/** The processor time that a process has used, in seconds; undefined when it is gone. */
export function cpuTimeOf(pid: number): number | undefined {
  const fields = statFields(pid);
  return fields === undefined ? undefined : (Number(fields[11]) + Number(fields[12])) / USER_HZ;
}

/** Whether a process waits for something other than a disk or a processor. */
export function isAsleep(pid: number): boolean {
  return statFields(pid)?.[0] === "S";
}

/** What the kernel counts times in for its users, on every architecture that Node runs on. */
const USER_HZ = 100;

function groupOf(pid: number): number {
  return Number(statFields(pid)?.[2]);
}

/** The fields of proc(5)'s stat from the third on: the second, the name, may hold anything. */
function statFields(pid: number): string[] | undefined {
  const text = contentOf(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

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

/**
 * Kills a process of this one. Of a program that could not be started there is no pid, and until Node has told so, its own
 * `kill` signals whatever number lies in its memory: 0 is the group of this process, and a negative one another group.
 */
export function killChild(child: Pick<ChildProcess, "pid" | "kill">): void {
  if (child.pid !== undefined) child.kill("SIGKILL");
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
