import { readlinkSync } from "node:fs";
import { contentOf, errnoOf } from "./host.js";
import { randomHex } from "./lazily.js";
import { namespaceOf, startTimeOf } from "./processes.js";

/**
 * A name for something on this host that must not outlive this process: a journal, a cgroup, a directory of a cache. It
 * says who the owner is, in words that no later process has, so that `gc` can tell whether that is gone: its pid and
 * start time, the pid namespace in which the pid counts, and the boot. The rest tells apart the threads of a process,
 * each of which has a copy of this module, and what one of them owns.
 *
 * Fit for the name of a file and of a cgroup; {@link fateOf} reads it.
 */
export function ownedName(): string {
  prefix ??= ownPrefix();
  counter += 1;
  return `${prefix}-${counter}`;
}

let prefix: string | undefined;
let counter = 0;

function ownPrefix(): string {
  const started = seesProcesses() ? startTimeOf(process.pid) : undefined;
  const thread = randomHex(8);
  return [process.pid, started ?? "", pidNamespace(), plain(bootId()), thread].join("-");
}

/**
 * What has become of the owner in an {@link ownedName}. It is `unknown` in another pid namespace, whose processes may
 * live and cannot be looked up from here, and for what is no such name.
 */
export function fateOf(name: string): "alive" | "gone" | "unknown" {
  const [, pid, started, namespace, boot] = NAME.exec(name) ?? EARLIER.exec(name) ?? [];
  if (pid === undefined || boot === undefined) return "unknown";
  if (plain(boot) !== plain(bootId())) return "gone";
  if (namespace !== pidNamespace()) return "unknown";
  if (started !== "" && seesProcesses())
    return startTimeOf(Number(pid)) === started ? "alive" : "gone";
  return isThere(Number(pid)) ? "alive" : "gone";
}

const NAME = /^(\d+)-(\d*)-(\d*)-([0-9a-f]*)-[0-9a-f]+-\d+$/;
/** As version 0.1.0 named what it had in the cache of images. */
const EARLIER = /^(\d+)_(\d*)_(\d*)_([0-9a-f-]*)$/;

/** The id of this boot of the machine, from the kernel; empty where the system has none. */
export function bootId(): string {
  boot ??= contentOf("/proc/sys/kernel/random/boot_id") ?? "";
  return boot;
}

let boot: string | undefined;

function plain(id: string): string {
  return id.replaceAll("-", "");
}

function pidNamespace(): string {
  return String(namespaceOf("self", "pid") ?? "");
}

/** Whether the pids in /proc are those of this pid namespace. */
function seesProcesses(): boolean {
  try {
    return readlinkSync("/proc/self") === String(process.pid);
  } catch {
    return false;
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== "ESRCH";
  }
}
