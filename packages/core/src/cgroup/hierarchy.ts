import { realpathSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { contentOf, errnoOf } from "../host/host.js";
import { parseMountinfo } from "../host/mountinfo.js";
import { SandboxError } from "../result/error.js";

/** One tree of cgroups: the only one of version 2, or one of version 1 with its controllers. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** Of version 1; in version 2 each directory says itself which it has. */
  readonly controllers: ReadonlySet<Controller>;
  /** Where it is mounted. */
  readonly mount: string;
  /** The directory of this process in it; undefined where it is not below what is mounted. */
  readonly own: string | undefined;
}

/**
 * The hierarchies that are mounted here: cgroups(7), proc(5) on `mountinfo` and `cgroup`.
 *
 * @param mountinfo - Of `/proc/self`, as are `membership`; others for tests.
 */
export function hierarchies(
  mountinfo: string = contentOf("/proc/self/mountinfo") ?? "",
  membership: string = contentOf("/proc/self/cgroup") ?? "",
): Hierarchy[] {
  const own = membership.split("\n").map((line) => /^\d+:([^:]*):(.*)$/.exec(line) ?? []);
  return parseMountinfo(mountinfo).entries.flatMap(({ type, root, at: mount, superOptions }) => {
    if (type !== "cgroup" && type !== "cgroup2") return [];
    const words = superOptions.split(",");
    const mine = own.find(([, names = "-"]) =>
      type === "cgroup2" ? names === "" : names !== "" && words.includes(names.split(",")[0] ?? ""),
    );
    const controllers = type === "cgroup" ? controllersIn(words) : new Set<Controller>();
    const directory = mine?.[2] === undefined ? undefined : below(root, mine[2]);
    return [
      {
        version: type === "cgroup2" ? 2 : 1,
        controllers,
        mount,
        own: directory === undefined ? undefined : join(mount, directory),
      },
    ];
  });
}

function below(root: string, path: string): string | undefined {
  const way = relative(root, path);
  return way === ".." || way.startsWith("../") ? undefined : way;
}

/** What a cgroup controls and counts, by the words of cgroup v2; `cpuacct` is a controller of its own in v1 only. */
export type Controller = "memory" | "pids" | "cpu" | "cpuacct" | "io";

/** The controllers among the names that the kernel gives, of either version. */
export function controllersIn(names: readonly string[]): ReadonlySet<Controller> {
  return new Set(
    names.flatMap((name): Controller[] => {
      const word = name === "blkio" ? "io" : name;
      return isController(word) ? [word] : [];
    }),
  );
}

function isController(name: string): name is Controller {
  return ["memory", "pids", "cpu", "cpuacct", "io"].includes(name);
}

/** A directory in which cgroups for runs may be made, and what they can control. */
export interface ParentCgroup {
  readonly version: 1 | 2;
  readonly directory: string;
  readonly controllers: ReadonlySet<Controller>;
}

/**
 * Where cgroups for runs may be made: below the cgroup of this process, in each hierarchy, or in the directory that
 * the caller names. In version 1 a directory of one hierarchy stands for the same path in all of them.
 *
 * @throws SandboxError `PATH_INVALID` when what the caller names is no cgroup.
 */
export function findParents(
  given: string | undefined,
  found: readonly Hierarchy[] = hierarchies(),
): ParentCgroup[] {
  const taken = new Set<Controller>();
  return directoriesOf(given, found).flatMap(({ hierarchy, directory }) => {
    const own = hierarchy.version === 1 ? hierarchy.controllers : controllersOf(directory);
    const controllers = new Set([...own].filter((name) => !taken.has(name)));
    for (const name of controllers) taken.add(name);
    if (controllers.size === 0) return [];
    return [{ version: hierarchy.version, directory, controllers }];
  });
}

interface Candidate {
  readonly hierarchy: Hierarchy;
  readonly directory: string;
}

function directoriesOf(given: string | undefined, found: readonly Hierarchy[]): Candidate[] {
  if (given === undefined) {
    return found.flatMap((hierarchy) =>
      hierarchy.own === undefined ? [] : [{ hierarchy, directory: outOfSupervisor(hierarchy.own) }],
    );
  }
  const path = real(given);
  const [home] = found
    .filter(({ mount }) => path === mount || path.startsWith(`${mount}/`))
    .sort((a, b) => b.mount.length - a.mount.length);
  if (home === undefined) throw noCgroup(given, "is not in a cgroup hierarchy");
  if (home.version === 2) return [{ hierarchy: home, directory: path }];
  const way = relative(home.mount, path);
  return found
    .filter(({ version }) => version === 1)
    .map((hierarchy) => ({ hierarchy, directory: join(hierarchy.mount, way) }))
    .filter(({ directory }) => contentOf(join(directory, "cgroup.procs")) !== undefined);
}

/** The cgroup for processes that had to leave the parent: in version 2 a cgroup with controllers below it has no processes. */
export const SUPERVISOR = "sandboxlib-supervisor";

/** An earlier sandbox may have moved this process there. */
function outOfSupervisor(directory: string): string {
  return basename(directory) === SUPERVISOR ? dirname(directory) : directory;
}

function controllersOf(directory: string): ReadonlySet<Controller> {
  return controllersIn((contentOf(join(directory, "cgroup.controllers")) ?? "").split(" "));
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw noCgroup(path, `cannot be reached: ${errnoOf(error)}`);
  }
}

function noCgroup(path: string, what: string): SandboxError {
  return new SandboxError("PATH_INVALID", `cgroup: ${JSON.stringify(path)} ${what}`, {
    path: "cgroup",
    hint: "Name a directory below /sys/fs/cgroup in which this user may make others.",
  });
}
