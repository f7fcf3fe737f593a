import { realpathSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { SandboxError } from "../result/error.js";
import { contentOf, errnoOf } from "./file.js";
import { type Controller, controllersIn, type Hierarchy, hierarchies } from "./hierarchy.js";
import { SUPERVISOR } from "./supervisor.js";

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
