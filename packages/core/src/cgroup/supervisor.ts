import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { contentOf, errnoOf } from "../host/host.js";
import { type Controller, controllersIn, SUPERVISOR } from "./hierarchy.js";

/**
 * Hands controllers on to the cgroups below a directory of version 2.
 *
 * Where processes are in the directory itself, they are moved to a cgroup below first, as the delegation rules of systemd
 * want it: all of them when the caller has named the directory, so that it is the caller's to give; else only when
 * there are none but this process and what it has started.
 *
 * @returns why one of them cannot be handed on, or undefined.
 */
export function delegate(
  directory: string,
  controllers: ReadonlySet<Controller>,
  isGiven: boolean,
): string | undefined {
  const enabled = delegatedTo(directory);
  const lacking = [...controllers].filter((name) => !enabled.has(name));
  if (lacking.length === 0) return undefined;
  // The kernel may accept a controller although processes are in the directory. It then makes the directory the root of a
  // threaded subtree, and no process can enter the cgroups below.
  const stuck = isRoot(directory) ? undefined : makeWay(directory, isGiven);
  return stuck ?? enable(directory, lacking);
}

/** Whether it is the root of the host's hierarchy, which may have processes and controllers, and has no cgroup.type. */
function isRoot(directory: string): boolean {
  return contentOf(join(directory, "cgroup.type")) === undefined;
}

function makeWay(directory: string, isGiven: boolean): string | undefined {
  const stranger = isGiven ? undefined : strangerIn(directory);
  if (stranger === undefined) return clear(directory);
  return `${directory} holds other processes, such as ${stranger}, which are not this one's to move`;
}

/** Those of a directory that its cgroups get. */
export function delegatedTo(directory: string): ReadonlySet<Controller> {
  return controllersIn((contentOf(join(directory, CONTROL)) ?? "").split(" "));
}

const CONTROL = "cgroup.subtree_control";

/** One by one: a kernel that cannot do one of them can do the others. */
function enable(directory: string, controllers: readonly Controller[]): string | undefined {
  let failure: string | undefined;
  for (const name of controllers) {
    try {
      writeFileSync(join(directory, CONTROL), `+${name}`, { flag: "r+" });
    } catch (error) {
      failure ??= `${join(directory, CONTROL)}: +${name}: ${errnoOf(error)}`;
    }
  }
  return failure;
}

/** A process that is neither this one nor below it. */
function strangerIn(directory: string): number | undefined {
  return processesIn(directory).find((pid) => !isOurs(pid));
}

function isOurs(pid: number): boolean {
  for (let at = pid, steps = 0; at > 1 && steps < 100; steps += 1) {
    if (at === process.pid) return true;
    const stat = contentOf(`/proc/${at}/stat`) ?? "";
    at = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
  }
  return false;
}

/** What is started meanwhile is moved the next time. */
function clear(directory: string): string | undefined {
  if (processesIn(directory).length === 0) return undefined;
  const supervisor = join(directory, SUPERVISOR);
  try {
    mkdirSync(supervisor, { recursive: true });
    for (let round = 0; round < 100; round += 1) {
      const pids = processesIn(directory);
      if (pids.length === 0) return undefined;
      for (const pid of pids) move(pid, supervisor);
    }
    return `${directory} gets new processes faster than they can be moved`;
  } catch (error) {
    return `${supervisor}: ${errnoOf(error)}`;
  }
}

function move(pid: number, to: string): void {
  try {
    writeFileSync(join(to, "cgroup.procs"), String(pid));
  } catch (error) {
    // It has ended since.
    if (errnoOf(error) !== "ESRCH") throw error;
  }
}

/** The pids in a cgroup; 0 stands for a process of another pid namespace. */
function processesIn(directory: string): number[] {
  return readFileSync(join(directory, "cgroup.procs"), "utf8")
    .split("\n")
    .filter(Boolean)
    .map(Number);
}
