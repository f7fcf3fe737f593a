import { dirname } from "node:path";
import {
  holdsDevices,
  type Refusal,
  type ResolvedConfig,
  type ResolvedMount,
  type ToolPlan,
} from "@sandboxlib/core/backend";
import { mechanismsBy } from "./mechanisms.js";
import { type Submount, submounts } from "./mountinfo.js";
import type { Program, Unusable } from "./program.js";
import { supervision } from "./supervision.js";
import { notMade, tmpfsOf, tmpfsSource } from "./tmpfs.js";

/**
 * Where the root is put together, which is the tool's ROOTDIR: with the root itself there, a source of a later bind
 * would be read-only, and `/` would keep the host's own mounts. What lies there in the private mount namespace, nobody
 * else sees.
 */
const STAGE = "/proc/fs";

/** The tool counts ROOTDIR as well. */
const MAX_OPTIONS = 1023;

type Option = readonly [name: string, ...values: string[]];

/** Mounts in the order of the config; the tool then starts a supervisor, which starts the program. */
export function plan(config: ResolvedConfig, program: Program | Unusable): ToolPlan | Refusal {
  const made = notMade(config);
  if (made !== undefined) return cannotMake(made);
  const mounted = mounts(config, "path" in program && program.isScript);
  const options = [...isolation(config), ...mounted, ["--chdir", config.cwd] as const];
  if (options.length > MAX_OPTIONS) return tooMany(config, options.length);
  const binds = options.filter(([name]) => name === "--mount-bind").length;
  const { words, by, ...supervised } = supervision(config, binds);
  const directories = tmpfsOf(config);
  return {
    kind: "tool",
    argv: [
      "path" in program ? program.path : "linux-user-chroot",
      ...options.flat(),
      STAGE,
      ...words,
    ],
    env: toolEnvironment(Object.keys(supervised.fds).map(Number)),
    ...(directories.length > 0 && { ownDirectory: directories }),
    ...supervised,
    mechanisms: mechanismsBy(by),
  };
}

/**
 * For the drop-in, which starts `node` by its name and passes on only the fds that it is told to. The original has no
 * use for either, and the supervisor hands nothing of it on.
 */
export function toolEnvironment(passed: readonly number[]): Record<string, string> {
  return {
    PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
    SANDBOXLIB_PASS_FDS: passed.join(","),
  };
}

/** Always a pid namespace, whose death ends every process. */
function isolation({ isolate, network }: ResolvedConfig): Option[] {
  return [
    ["--unshare-pid"],
    ...(isolate.has("ipc") ? [["--unshare-ipc"] as const] : []),
    ...(network === "none" ? [["--unshare-net"] as const] : []),
  ];
}

/** The drop-in sees to devices by itself. */
function mounts(config: ResolvedConfig, isDropIn: boolean): Option[] {
  return [
    ...bind(config.root, "", config.rootReadOnly, config, isDropIn),
    ...config.mounts.flatMap((mount) => mountOptions(mount, config, isDropIn)),
  ];
}

function mountOptions(mount: ResolvedMount, config: ResolvedConfig, isDropIn: boolean): Option[] {
  switch (mount.type) {
    case "bind":
      return bind(mount.source, mount.target, mount.readOnly, config, isDropIn);
    case "proc":
      return [["--mount-proc", mount.target]];
    case "dev":
      return [["--mount-devapi", mount.target]];
    case "tmpfs":
      return [
        ["--mount-bind", tmpfsSource(mount, config), mount.target],
        ...(mount.isMask === true ? [["--mount-readonly", mount.target] as const] : []),
      ];
    case "mask":
      throw new TypeError(`\`${mount.type}\` is not declared`);
  }
}

/**
 * A bind is not recursive, so what is mounted below the source follows, unless something else will lie over it, or it
 * would lead out: core masks that with an empty directory of the run's own. Devices are
 * read-only, which leaves them usable: nobody changes the mode that the host sees.
 */
function bind(
  source: string,
  target: string,
  readOnly: boolean,
  { mounts: later, isolate }: ResolvedConfig,
  isDropIn: boolean,
): Option[] {
  const isCovered = (path: string): boolean =>
    later.some((mount) => mount.target !== target && `${path}/`.startsWith(`${mount.target}/`));
  const base = source === "/" ? "" : source;
  const leadsOut = ({ at, type }: Submount): boolean =>
    base + at === "/sys/fs/cgroup" ||
    /^cgroup2?$/.test(type) ||
    (type === "proc" && isolate.has("pid"));
  const found = submounts(source);
  const out = found.filter(leadsOut).map(({ at }) => `${at}/`);
  const below = found
    .map(({ at }) => at)
    .filter((at) => !out.some((above) => `${at}/`.startsWith(above)));
  return ["", ...below.filter((at) => !isCovered(target + at))].flatMap((at): Option[] => {
    const path = `${target}${at}` || "/";
    const from = `${base}${at}` || "/";
    const attach: Option = ["--mount-bind", from, path];
    const isReadOnly = readOnly || (!isDropIn && holdsDevices(from));
    return isReadOnly ? [attach, ["--mount-readonly", path]] : [attach];
  });
}

function cannotMake({ path, target, type }: ResolvedMount): Refusal {
  return {
    refusal: {
      path,
      ...(type !== "mask" && { capability: `mount.${type}` }),
      reason: `${JSON.stringify(target)} would have to be made first, in memory, and linux-user-chroot makes no mount points`,
      hint: `Mount the ${type} at a path that exists in the root.`,
    },
  };
}

function tooMany({ mounts }: ResolvedConfig, options: number): Refusal {
  const listed = mounts.filter(({ path }) => path.startsWith("writable")).length;
  const asks =
    mounts.length === 0
      ? { path: "root" }
      : listed * 2 > mounts.length
        ? ({ path: "writable", capability: "writable.paths" } as const)
        : ({ path: "mounts", capability: "mount.bind" } as const);
  return {
    refusal: {
      ...asks,
      reason: `${options} options, and linux-user-chroot takes ${MAX_OPTIONS} (each mount and each writable path takes one, and one more when it is read-only)`,
      hint: "Name a common parent directory instead of many paths, or use another backend.",
    },
  };
}
