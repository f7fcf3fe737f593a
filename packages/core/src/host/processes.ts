import { readFileSync, readlinkSync } from "node:fs";

/** The children of a process, oldest first; undefined where the kernel does not tell (proc(5), `children`). */
export function childrenOf(pid: number): number[] | undefined {
  const words = read(`/proc/${pid}/task/${pid}/children`)?.split(" ");
  return words?.filter((word) => word !== "").map(Number);
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
export function isInit(pid: number): boolean {
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
  const [, pids = ""] = /^NSpid:\s+(.*)$/m.exec(read(`/proc/${pid}/status`) ?? "") ?? [];
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

function groupOf(pid: number): number {
  return Number(statFields(pid)?.[2]);
}

/** The fields of proc(5)'s stat from the third on: the second, the name, may hold anything. */
function statFields(pid: number): string[] | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** As UTF-8, which Node reads without a buffer of 64 KiB. A name with other bytes is never looked at. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
