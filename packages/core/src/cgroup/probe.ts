import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { Capability } from "../capability/capability.js";
import { errnoOf } from "./file.js";
import type { Controller } from "./hierarchy.js";
import type { ParentCgroup } from "./parent.js";
import {
  CGROUP_LIMITS,
  type CgroupLimit,
  type CgroupLimits,
  CONTROLLERS,
  setLimit,
  type Unset,
} from "./setting.js";
import { cgroupName } from "./stale.js";
import { delegate, delegatedTo } from "./supervisor.js";

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
export function probeParent(parent: ParentCgroup, isGiven: boolean): ParentProbe {
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

/** Little enough for a cgroup above that has limits of its own. */
const SAMPLE: CgroupLimits = { memory: 1 << 24, processes: 100, cpu: 0.01, ioWeight: 100 };
