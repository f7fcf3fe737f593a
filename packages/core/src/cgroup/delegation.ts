import type { Missing } from "../backend/backend.js";
import type { Capability } from "../capability/capability.js";
import { type Group, makeGroup } from "./group.js";
import type { Controller } from "./hierarchy.js";
import { findParents, type ParentCgroup } from "./parent.js";
import { type ParentProbe, probeParent } from "./probe.js";
import { CGROUP_LIMITS, type CgroupLimits, CONTROLLERS } from "./setting.js";

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

/** What counts is always there; in version 1 the controller that only limits has a directory of its own. */
function serves({ version, controllers }: ParentCgroup, limits: CgroupLimits): boolean {
  const hasStats = (["memory", "pids", "cpuacct", "io"] as const).some((name) =>
    controllers.has(name),
  );
  return version === 2 || hasStats || limits.cpu !== undefined;
}
