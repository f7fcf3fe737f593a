import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  type HostMounts,
  hasOption,
  isReadOnly,
  type MountEntry,
  type MountTable,
  type Origin,
} from "../host/mountinfo.js";
import type { Capability } from "../needs/capability.js";
import type { ResolvedConfig, ResolvedMount } from "../plan/resolved-config.js";

/** One thing that a table of mounts shows, or does not. */
export interface Finding {
  readonly capability: Capability;
  /** The config field that asks for it. */
  readonly path: string;
  /** Undefined: the table does not tell. */
  readonly isRight: boolean | undefined;
  readonly expected: string;
  readonly seen: MountEntry | undefined;
}

/** The two tables, and what is to be known of them. */
interface Sight {
  readonly config: ResolvedConfig;
  readonly pid: number;
  readonly seen: MountTable;
  readonly host: HostMounts;
}

/**
 * Holds the mounts that pid 1 of a sandbox has against those that the config asks for.
 *
 * @param host - Those of this process, by which a path of the host is known.
 */
export function findingsOf(
  config: ResolvedConfig,
  pid: number,
  seen: MountTable,
  host: HostMounts,
): Finding[] {
  const sight: Sight = { config, pid, seen, host };
  return [
    ownTable(sight),
    root(sight),
    ...config.mounts.flatMap((mount) => mounted(mount, sight)),
    ...config.mirrors.map((mirror) => {
      const top = topAt(mirror.target, sight);
      const isRight = isNewTmpfs(top, sight) && isReadOnly(top);
      return finding("mount.create", mirror.path, isRight, "a read-only tmpfs", top);
    }),
    ...writables(sight),
  ];
}

/** The kernel gives no two mounts one number. */
function ownTable({ seen, host }: Sight): Finding {
  const shared = seen.entries.find(({ id }) => host.ids.has(id));
  return finding("isolate.mount", "isolate", shared === undefined, "mounts of its own", shared);
}

function root({ config, seen, host }: Sight): Finding {
  const top = seen.mountOf("/");
  const say = (isRight: boolean | undefined, expected: string): Finding =>
    finding("root", "root", isRight, expected, top);
  if (config.mirrors.some(({ target }) => target === "/")) return say(undefined, "a mirror");
  // Which directories are its layers, it does not say.
  if (config.overlay !== undefined)
    return say(top?.type === "overlay" ? undefined : false, "an overlay");
  return say(isFrom(host.originOf(config.root), top), config.root);
}

function mounted(mount: ResolvedMount, sight: Sight): Finding[] {
  const top = underMirror(mount.target, sight);
  const { path } = mount;
  switch (mount.type) {
    case "bind":
      return bound(mount, top, sight);
    case "tmpfs": {
      const isRight = isNewTmpfs(top, sight) && !isReadOnly(top);
      const found = [finding("mount.tmpfs", path, isRight, "a tmpfs of its own", top)];
      if (mount.size !== undefined)
        found.push(
          finding(
            "mount.tmpfs.size",
            `${path}.size`,
            hasSize(mount.size, top),
            `${mount.size} bytes`,
            top,
          ),
        );
      return found;
    }
    case "proc": {
      const isProc = top?.type === "proc" && isWhole(top, sight);
      const isRight = isProc ? showsSandbox(mount.target, sight) : false;
      return [finding("mount.proc", path, isRight, "a procfs of the sandbox", top)];
    }
    case "dev":
      return devices(mount.target, path, top, sight);
    case "hide": {
      const isRight =
        mount.kind === "directory"
          ? isNewTmpfs(top, sight) && isReadOnly(top)
          : top !== undefined &&
            hasOption(top.options, "nodev") &&
            isFrom(sight.host.originOf("/dev/null"), top);
      const expected =
        mount.kind === "directory" ? "a read-only tmpfs of its own" : "/dev/null on a nodev mount";
      return [finding("hidden", path, isRight, expected, top)];
    }
  }
}

function bound(
  { source, path, readOnly }: Extract<ResolvedMount, { type: "bind" }>,
  top: MountEntry | undefined,
  { host }: Sight,
): Finding[] {
  const capability = path.startsWith("writable") ? "writable.paths" : "mount.bind";
  const found = [finding(capability, path, isFrom(host.originOf(source), top), source, top)];
  if (readOnly)
    found.push(
      finding(
        "mount.bind.readOnly",
        `${path}.readOnly`,
        top !== undefined && isReadOnly(top),
        "a read-only mount",
        top,
      ),
    );
  return found;
}

/** Nodes that were made, and not mounted, the table does not show. */
function devices(
  target: string,
  path: string,
  top: MountEntry | undefined,
  sight: Sight,
): Finding[] {
  const say = (isRight: boolean | undefined, expected: string, seen: MountEntry | undefined) =>
    finding("mount.dev", path, isRight, expected, seen);
  return [
    say(isNewTmpfs(top, sight), "a tmpfs of its own", top),
    ...DEVICES.map((name) => {
      const device = topAt(join(target, name), sight);
      const expected = `/dev/${name}`;
      return say(device && isFrom(sight.host.originOf(expected), device), expected, device);
    }),
  ];
}

const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"] as const;

/** Every mount that can be reached and written to, and lies where none may be. */
function writables({ config, seen }: Sight): Finding[] {
  const wanted = new Map(config.mounts.map((mount) => [mount.target, mount]));
  const found = seen.entries.flatMap((entry) => {
    if (isReadOnly(entry) || seen.mountOf(entry.at) !== entry) return [];
    const mount = nearest(wanted, entry.at);
    if (mount === undefined)
      return config.rootReadOnly ? [writable("writable.paths", "writable", entry)] : [];
    if (mount.type !== "bind" || !mount.readOnly) return [];
    return [writable("mount.bind.readOnly", `${mount.path}.readOnly`, entry)];
  });
  return [finding("writable.paths", "writable", true, "", undefined), ...found];
}

function writable(capability: Capability, path: string, entry: MountEntry): Finding {
  return finding(capability, path, false, `a read-only mount at ${entry.at}`, entry);
}

function nearest<Value>(wanted: ReadonlyMap<string, Value>, path: string): Value | undefined {
  for (let above = path; above !== "/"; above = dirname(above)) {
    const found = wanted.get(above);
    if (found !== undefined) return found;
  }
  return undefined;
}

function topAt(target: string, { seen }: Sight): MountEntry | undefined {
  const found = seen.mountOf(target);
  return found?.at === target ? found : undefined;
}

/** A mirror covers what is mounted on its own target. */
function underMirror(target: string, sight: Sight): MountEntry | undefined {
  const top = topAt(target, sight);
  if (!sight.config.mirrors.some((mirror) => mirror.target === target)) return top;
  return sight.seen.entries.find(({ id, at }) => id === top?.parent && at === target);
}

function isNewTmpfs(entry: MountEntry | undefined, sight: Sight): entry is MountEntry {
  return entry?.type === "tmpfs" && isWhole(entry, sight);
}

/** A file system that the host does not see, from its root on. */
function isWhole({ root, device }: MountEntry, { host }: Sight): boolean {
  return root === "/" && !host.devices.has(device);
}

/** What was deleted or replaced on the host in the meantime, the table calls so. */
function isFrom(origin: Origin | undefined, entry: MountEntry | undefined): boolean | undefined {
  if (entry === undefined) return false;
  if (origin === undefined || entry.root.endsWith("//deleted")) return undefined;
  return entry.device === origin.device && entry.root === origin.root;
}

/** The kernel rounds up to whole pages, of 64 KiB at most. */
function hasSize(bytes: number, entry: MountEntry | undefined): boolean {
  const kib = /(?:^|,)size=(\d+)k/.exec(entry?.superOptions ?? "")?.[1];
  const over = Number(kib) * 1024 - bytes;
  return over >= 0 && over < 65_536;
}

/** In a procfs that shows the host's processes this one has a number. Undefined where we may not look. */
function showsSandbox(target: string, { pid, seen }: Sight): boolean | undefined {
  // The way goes by the root of pid 1, below what may lie on it.
  if (seen.root !== seen.mountOf("/")) return undefined;
  try {
    return statSync(`/proc/${pid}/root${target}/self`, { throwIfNoEntry: false }) === undefined;
  } catch {
    return undefined;
  }
}

function finding(
  capability: Capability,
  path: string,
  isRight: boolean | undefined,
  expected: string,
  seen: MountEntry | undefined,
): Finding {
  return { capability, path, isRight, expected, seen };
}

/** Puts a mount into words. */
export function described(entry: MountEntry | undefined): string {
  if (entry === undefined) return "no mount";
  const { type, device, root: shown, at, options } = entry;
  return `${shown} of the ${type} ${device} at ${at} (${options})`;
}
