import { readlinkSync } from "node:fs";
import { startTimeOf } from "../launch/processes.js";

let counter = 0;

/**
 * A new name for a cgroup. It says whose it is, so that `gc` can tell without a journal whether that process lives: the
 * namespace in which its pid counts, its pid, and its start time.
 */
export function newName(): string {
  counter += 1;
  return `${ownPrefix()}${counter}`;
}

/** Whether a directory is a cgroup of a process of this pid namespace that is gone. */
export function isAbandoned(name: string): boolean {
  const [, namespace, pid, started] = /^sandboxlib-(\d+)-(\d+)-(\d+)-\d+$/.exec(name) ?? [];
  if (namespace === undefined || namespace !== pidNamespace()) return false;
  return startTimeOf(Number(pid)) !== started;
}

let prefix: string | undefined;

function ownPrefix(): string {
  prefix ??= `sandboxlib-${pidNamespace()}-${process.pid}-${startTimeOf(process.pid) ?? 0}-`;
  return prefix;
}

function pidNamespace(): string {
  return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
}
