import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { Missing } from "../backend/backend.js";
import type { Capability } from "../capability/capability.js";
import { errnoOf } from "../host/host.js";
import { cgroupName, type Group, makeGroup } from "./group.js";
import type { Controller } from "./hierarchy.js";
import { findParents, type ParentCgroup } from "./hierarchy.js";
import {
  CGROUP_LIMITS,
  type CgroupLimit,
  type CgroupLimits,
  CONTROLLERS,
  setLimit,
  type Unset,
} from "./setting.js";
import { delegate, delegatedTo } from "./supervisor.js";

/** What the cgroups of this host can do for a run, found out by trying. */
export interface Delegation {
  /** The capabilities that they cannot give. */
  readonly missing: readonly Missing[];
  /** The files of the kernel behind the others. */
  readonly mechanisms: Partial<Readonly<Record<Capability, string>>>;
  /** Why no cgroup can be made at all, if none can. */
  readonly unusable: string | undefined;
  /**
   * Makes a cgroup for one sandbox.
   *
   * @throws SandboxError as {@link makeGroup} does.
   */
  open(limits: CgroupLimits, isSession: boolean): Group;
}

/**
 * Tries what cgroups this process can make.
 *
 * @param given - The directory that the caller names for them. Default: the cgroup of this process.
 * @throws SandboxError `PATH_INVALID` when it is no cgroup.
 */
export function probeCgroups(given?: string): Delegation {
  const probes = findParents(given).map((parent) => probeParent(parent, given !== undefined));
  const usable = probes.flatMap(({ parent, failure }) => (failure === undefined ? [parent] : []));
  return {
    missing: CGROUP_LIMITS.flatMap((limit): Missing[] => {
      const lack = lackOf(CONTROLLERS[limit], probes, given) ?? limitLack(probes, limit);
      return lack === undefined ? [] : [{ capability: `limit.${limit}`, remedy: REMEDY, ...lack }];
    }),
    mechanisms: Object.assign({}, ...probes.map(({ mechanisms }) => mechanisms)),
    unusable: usable.length > 0 ? undefined : (probes[0]?.failure ?? NOT_MOUNTED),
    open: (limits, isSession) =>
      makeGroup(
        usable.filter((parent) => serves(parent, limits)),
        limits,
        isSession,
      ),
  };
}

const NOT_MOUNTED = "no cgroup hierarchy with a controller is mounted here";
const REMEDY =
  "Run in a scope of its own (systemd-run --user --scope -p Delegate=yes -- COMMAND), or have root make a cgroup for this user, and name it with `cgroup` (--cgroup DIR).";

/** Why a controller cannot be used at all. */
function lackOf(
  controller: Controller,
  probes: readonly ParentProbe[],
  given: string | undefined,
): { readonly reason: string } | undefined {
  const probe = probes.find(({ parent }) => parent.controllers.has(controller));
  if (probe?.failure !== undefined) return { reason: probe.failure };
  if (probe?.delegatedTo.has(controller) === true) return undefined;
  const reason =
    probe?.reason ?? `${given ?? "the cgroup of this process"} has no controller ${controller}`;
  return { reason: probes.length === 0 ? NOT_MOUNTED : reason };
}

function limitLack(probes: readonly ParentProbe[], limit: (typeof CGROUP_LIMITS)[number]) {
  return probes.find(({ lacks }) => lacks.has(limit))?.lacks.get(limit);
}

/**
 * Whether a sandbox with these limits has a cgroup below a parent: always where something is counted. In version 1 the
 * controller `cpu` has a hierarchy of its own and counts nothing.
 */
function serves({ version, controllers }: ParentCgroup, limits: CgroupLimits): boolean {
  const hasStats = (["memory", "pids", "cpuacct", "io"] as const).some((name) =>
    controllers.has(name),
  );
  return version === 2 || hasStats || limits.cpu !== undefined;
}

/** What a parent cgroup was found to allow. */
export interface ParentProbe {
  readonly parent: ParentCgroup;
  /** Why no cgroup can be made there, if none can. */
  readonly failure: string | undefined;
  /** The controllers that cgroups there have, and why they have not all. */
  readonly delegatedTo: ReadonlySet<Controller>;
  readonly reason: string | undefined;
  /** Limits that cannot be set, although there is the controller. */
  readonly lacks: ReadonlyMap<CgroupLimit, Unset>;
  readonly mechanisms: Partial<Readonly<Record<Capability, string>>>;
}

/** Makes a cgroup below a parent, sets every limit on it that can be set, and removes it again. */
function probeParent(parent: ParentCgroup, isGiven: boolean): ParentProbe {
  const { version, directory } = parent;
  const path = join(directory, cgroupName());
  const lacks = new Map<CgroupLimit, Unset>();
  const mechanisms: Partial<Record<Capability, string>> = {};
  const nothing = { parent, delegatedTo: new Set<Controller>(), lacks, mechanisms };
  try {
    mkdirSync(path);
  } catch (error) {
    const failure = `no cgroup can be made in ${directory}: ${errnoOf(error)}`;
    return { ...nothing, failure, reason: undefined };
  }
  try {
    const reason = version === 2 ? delegate(directory, parent.controllers, isGiven) : undefined;
    const controllers = version === 2 ? delegatedTo(directory) : parent.controllers;
    for (const limit of CGROUP_LIMITS) {
      if (!controllers.has(CONTROLLERS[limit])) continue;
      if (!parent.controllers.has(CONTROLLERS[limit])) continue;
      const set = setLimit(limit, SAMPLE, version, path);
      if ("reason" in set) lacks.set(limit, set);
      else mechanisms[`limit.${limit}`] = `cgroup v${version} ${set.join(", ")}`;
    }
    return { parent, failure: undefined, delegatedTo: controllers, reason, lacks, mechanisms };
  } finally {
    rmdirSync(path);
  }
}

/** Small values, which a parent with limits of its own still allows. */
const SAMPLE: CgroupLimits = { memory: 1 << 24, processes: 100, cpu: 0.01, ioWeight: 100 };
