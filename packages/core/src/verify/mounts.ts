import { lstatSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ResolvedConfig, ResolvedMount } from "../backend/resolved-config.js";
import {
  type HostMounts,
  hasOption,
  isReadOnly,
  type MountEntry,
  type MountTable,
} from "../host/mountinfo.js";
import {
  type Finding,
  finding,
  hasSize,
  isFrom,
  isNewTmpfs,
  isWhole,
  lookedAt,
  type Sight,
  showsSandbox,
  topAt,
  underMirror,
} from "./sight.js";

/**
 * Compares the mounts that pid 1 of a sandbox has with those that the config asks for.
 *
 * @param host - Those of this process, by which a path of the host is known.
 */
export function findingsOf(
  config: ResolvedConfig,
  pid: number,
  seen: MountTable,
  host: HostMounts,
  own: Sight["own"] = new Map(),
): Finding[] {
  const sight: Sight = { config, pid, seen, host, own };
  return [
    ...(config.isolate.has("mount") ? [ownTable(sight)] : []),
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

/** Whether the table is another than the host's: the kernel gives no two mounts the same number. */
function ownTable({ seen, host }: Sight): Finding {
  const shared = seen.entries.find(({ id }) => host.ids.has(id));
  return finding("isolate.mount", "isolate", shared === undefined, "mounts of its own", shared);
}

function root({ config, seen, host }: Sight): Finding {
  const top = seen.mountOf("/");
  const say = (isRight: boolean | undefined, expected: string): Finding =>
    finding("root", "root", isRight, expected, top);
  if (config.mirrors.some(({ target }) => target === "/")) return say(undefined, "a mirror");
  // The table does not say which directories are its layers.
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
      const directory = sight.own.get(mount.target);
      const isWritable = mount.isMask === true || (top !== undefined && !isReadOnly(top));
      if (directory !== undefined) return [ownDirectory(directory, path, top, isWritable, sight)];
      const isRight = isNewTmpfs(top, sight) && isWritable;
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
      const look = (pid: number): boolean | undefined =>
        isProc ? showsSandbox(mount.target, pid, sight) : false;
      return [lookedAt("mount.proc", path, look, "a procfs of the sandbox", top, sight.pid)];
    }
    case "dev":
      return devices(mount.target, path, top, sight);
    case "mask": {
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

/** In the place of a tmpfs. It has no size, and where one is asked for, the need is not met. */
function ownDirectory(
  directory: string,
  path: string,
  top: MountEntry | undefined,
  isWritable: boolean,
  { host }: Sight,
): Finding {
  const isRight = isFrom(host.find(directory), top);
  return finding("mount.tmpfs", path, isRight === true ? isWritable : isRight, directory, top);
}

function bound(
  { source, path, readOnly }: Extract<ResolvedMount, { type: "bind" }>,
  top: MountEntry | undefined,
  { host }: Sight,
): Finding[] {
  const capability = path.startsWith("writable") ? "writable.paths" : "mount.bind";
  // One without a source shows what was there already, in a layer that the table does not tell of.
  const origin = source === "" ? undefined : host.originOf(source);
  const found = [finding(capability, path, isFrom(origin, top), source, top)];
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

/** The devices. Nodes that were made with mknod(2) are not in the table. */
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

/** Every mount that can be written to, and lies where none may be. */
function writables({ config, seen, pid }: Sight): Finding[] {
  const wanted = new Map(config.mounts.map((mount) => [mount.target, mount]));
  const found = seen.entries.flatMap((entry) => {
    if (isReadOnly(entry) || seen.mountOf(entry.at) !== entry) return [];
    const mount = nearest(wanted, entry.at);
    const expected = `a read-only mount at ${entry.at}`;
    if (mount === undefined) {
      const look = (): false | undefined =>
        isReachable(config.root, entry.at) ? false : undefined;
      return config.rootReadOnly
        ? [lookedAt("writable.paths", "writable", look, expected, entry, pid)]
        : [];
    }
    if (mount.type !== "bind" || !mount.readOnly) return [];
    const below = entry.at.slice(mount.target.length);
    const look = (): false | undefined => (isReachable(mount.source, below) ? false : undefined);
    const path = `${mount.path}.readOnly`;
    return [lookedAt("mount.bind.readOnly", path, look, expected, entry, pid)];
  });
  return [finding("writable.paths", "writable", true, "", undefined), ...found];
}

/**
 * Whether this user, or everybody, can get there. A tool cannot make a mount read-only that lies in a directory which it
 * may not enter, such as one of another user's, and neither can the program reach it.
 */
function isReachable(source: string, below: string): boolean {
  const names = below.split("/").slice(1, -1);
  return names.every((_, index) => {
    try {
      const { mode, uid } = lstatSync(join(source, ...names.slice(0, index + 1)));
      return (mode & (uid === process.getuid?.() ? 0o101 : 0o001)) !== 0;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== "EACCES";
    }
  });
}

function nearest<Value>(wanted: ReadonlyMap<string, Value>, path: string): Value | undefined {
  for (let above = path; above !== "/"; above = dirname(above)) {
    const found = wanted.get(above);
    if (found !== undefined) return found;
  }
  return undefined;
}
