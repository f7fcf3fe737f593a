import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { Capability } from "../capability/capability.js";
import type { Controller } from "./controller.js";
import { errnoOf } from "./file.js";
import { newName } from "./name.js";
import type { Place } from "./parent.js";
import {
  CGROUP_LIMITS,
  type CgroupLimit,
  type CgroupLimits,
  CONTROLLERS,
  setLimit,
  type Unset,
} from "./setting.js";
import { handedOn, handOn } from "./supervisor.js";

/** What came of trying a place. */
export interface Trial {
  readonly place: Place;
  /** Why no cgroup can be made there, if none can. */
  readonly failure: string | undefined;
  /** The controllers that cgroups there have, and why they have not all. */
  readonly handedOn: ReadonlySet<Controller>;
  readonly reason: string | undefined;
  /** Limits that cannot be set, although there is the controller. */
  readonly lacks: ReadonlyMap<CgroupLimit, Unset>;
  readonly mechanisms: Partial<Readonly<Record<Capability, string>>>;
}

/** Makes a cgroup in a place, sets every limit on it that can be, and removes it. */
export function tryPlace(place: Place, isGiven: boolean): Trial {
  const { version, directory } = place;
  const path = join(directory, newName());
  const lacks = new Map<CgroupLimit, Unset>();
  const mechanisms: Partial<Record<Capability, string>> = {};
  const nothing = { place, handedOn: new Set<Controller>(), lacks, mechanisms };
  try {
    mkdirSync(path);
  } catch (error) {
    const failure = `no cgroup can be made in ${directory}: ${errnoOf(error)}`;
    return { ...nothing, failure, reason: undefined };
  }
  try {
    const reason = version === 2 ? handOn(directory, place.controllers, isGiven) : undefined;
    const controllers = version === 2 ? handedOn(directory) : place.controllers;
    for (const limit of CGROUP_LIMITS) {
      if (!controllers.has(CONTROLLERS[limit])) continue;
      if (!place.controllers.has(CONTROLLERS[limit])) continue;
      const set = setLimit(limit, SAMPLE, version, path);
      if ("reason" in set) lacks.set(limit, set);
      else mechanisms[`limit.${limit}`] = `cgroup v${version} ${set.join(", ")}`;
    }
    return { place, failure: undefined, handedOn: controllers, reason, lacks, mechanisms };
  } finally {
    rmdirSync(path);
  }
}

/** Little enough for a cgroup above that has limits of its own. */
const SAMPLE: CgroupLimits = { memory: 1 << 24, processes: 100, cpu: 0.01, ioWeight: 100 };
