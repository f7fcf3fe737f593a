import { readFileSync, readlinkSync } from "node:fs";

/** Who holds something in the cache: a process, in words that no later process will have. */
export interface Owner {
  readonly pid: number;
  /** Its start time in clock ticks, the id of the boot, and its pid namespace; empty where the kernel does not tell. */
  readonly started: string;
  readonly boot: string;
  readonly namespace: string;
}

/** This process. */
export function thisProcess(): Owner {
  me ??= {
    pid: process.pid,
    started: startOf(process.pid) ?? "",
    boot: bootId(),
    namespace: namespaceId(),
  };
  return me;
}

let me: Owner | undefined;

/** Whether a process is gone for certain. One of another pid namespace cannot be seen, and is taken to be alive. */
export function isGone({ pid, started, boot, namespace }: Owner): boolean {
  if (boot !== bootId()) return true;
  if (namespace !== namespaceId()) return false;
  if (started !== "") return startOf(pid) !== started;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

/** Owners as a part of a file name. */
export function ownerName({ pid, started, boot, namespace }: Owner): string {
  return [pid, started, namespace, boot].join("_");
}

/** Reads {@link ownerName}; undefined for what is none. */
export function ownerOf(name: string): Owner | undefined {
  const [, pid, started = "", namespace = "", boot = ""] =
    /^(\d+)_(\d*)_(\d*)_([0-9a-f-]*)$/.exec(name) ?? [];
  return pid === undefined ? undefined : { pid: Number(pid), started, boot, namespace };
}

/** Another one after every start of the machine; empty where the system has none. */
export function bootId(): string {
  boot ??= textOf("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
  return boot;
}

let boot: string | undefined;

function namespaceId(): string {
  try {
    return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "";
  } catch {
    return "";
  }
}

/** As core's journal does it: field 22 of proc(5)'s stat. A zombie is gone. */
function startOf(pid: number): string | undefined {
  const text = textOf(`/proc/${pid}/stat`);
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields === undefined || fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}
