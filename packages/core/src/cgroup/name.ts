import { randomInt } from "node:crypto";
import { readlinkSync } from "node:fs";
import { startTimeOf } from "../launch/processes.js";

/**
 * A new name for a cgroup. It says whose it is, so that `gc` can tell without a journal whether that process lives: the
 * namespace in which its pid counts, its pid, and its start time. The rest is random, as each worker thread of it has a
 * copy of this module.
 */
export function newName(): string {
  return `${ownPrefix()}${randomInt(2 ** 47)}`;
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
