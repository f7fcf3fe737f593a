import { statSync } from "node:fs";
import type { ResolvedConfig } from "../backend/resolved-config.js";
import type { Capability } from "../capability/capability.js";
import type { HostMounts, MountEntry, MountTable, Origin } from "../host/mountinfo.js";

/** One thing that a table of mounts shows, or does not. */
export interface Finding {
  readonly capability: Capability;
  /** The config field that asks for it. */
  readonly path: string;
  /** Undefined: the table does not tell. */
  readonly isRight: boolean | undefined;
  readonly expected: string;
  readonly seen: MountEntry | undefined;
  /** Where the table does not settle it: looks for a sandbox, also for a later one whose table says the same. */
  readonly look?: (pid: number) => boolean | undefined;
}

/** The two tables, and what is to be known of them. */
export interface Sight {
  readonly config: ResolvedConfig;
  readonly pid: number;
  readonly seen: MountTable;
  readonly host: HostMounts;
  /** The directories of the run's own that stand for a tmpfs, by target. */
  readonly own: ReadonlyMap<string, string>;
}

/** The mount on a path, if that is a mount point. */
export function topAt(target: string, { seen }: Sight): MountEntry | undefined {
  const found = seen.mountOf(target);
  return found?.at === target ? found : undefined;
}

/** A mirror covers what is mounted on its own target. */
export function underMirror(target: string, sight: Sight): MountEntry | undefined {
  const top = topAt(target, sight);
  if (!sight.config.mirrors.some((mirror) => mirror.target === target)) return top;
  return sight.seen.entries.find(({ id, at }) => id === top?.parent && at === target);
}

/** Whether it is a tmpfs that the host does not see. */
export function isNewTmpfs(entry: MountEntry | undefined, sight: Sight): entry is MountEntry {
  return entry?.type === "tmpfs" && isWhole(entry, sight);
}

/** A file system that the host does not see, from its root on. */
export function isWhole({ root, device }: MountEntry, { host }: Sight): boolean {
  return root === "/" && !host.devices.has(device);
}

/** Whether a mount shows a file of the host. The table marks one that was deleted or replaced since: that tells nothing. */
export function isFrom(
  origin: Origin | undefined,
  entry: MountEntry | undefined,
): boolean | undefined {
  if (entry === undefined) return false;
  if (origin === undefined || entry.root.endsWith("//deleted")) return undefined;
  return entry.device === origin.device && entry.root === origin.root;
}

/** The kernel rounds up to whole pages, of 64 KiB at most. */
export function hasSize(bytes: number, entry: MountEntry | undefined): boolean {
  const kib = /(?:^|,)size=(\d+)k/.exec(entry?.superOptions ?? "")?.[1];
  const over = Number(kib) * 1024 - bytes;
  return over >= 0 && over < 65_536;
}

/** Whether a procfs is the sandbox's: in one of the host, `self` would lead to this process. Undefined where we may not look. */
export function showsSandbox(target: string, pid: number, { seen }: Sight): boolean | undefined {
  // The way goes by the root of pid 1, below what may lie on it.
  if (seen.root !== seen.mountOf("/")) return undefined;
  try {
    return statSync(`/proc/${pid}/root${target}/self`, { throwIfNoEntry: false }) === undefined;
  } catch {
    return undefined;
  }
}

/** The result of one comparison. */
export function finding(
  capability: Capability,
  path: string,
  isRight: boolean | undefined,
  expected: string,
  seen: MountEntry | undefined,
): Finding {
  return { capability, path, isRight, expected, seen };
}

/** The same of what has to be looked at beside the table. */
export function lookedAt(
  capability: Capability,
  path: string,
  look: (pid: number) => boolean | undefined,
  expected: string,
  seen: MountEntry | undefined,
  pid: number,
): Finding {
  return { ...finding(capability, path, look(pid), expected, seen), look };
}

/** Puts a mount into words. */
export function described(entry: MountEntry | undefined): string {
  if (entry === undefined) return "no mount";
  const { type, device, root: shown, at, options } = entry;
  return `${shown} of the ${type} ${device} at ${at} (${options})`;
}
