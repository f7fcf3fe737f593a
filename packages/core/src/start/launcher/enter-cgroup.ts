import type { LauncherPlan, LauncherSetup } from "../../backend/plan.js";
import type { Group } from "../../cgroup/group.js";
import type { Prepared } from "../prepared.js";

/** What belongs to one sandbox alone. */
export interface Entered {
  readonly setup: LauncherSetup;
  /** Its cgroup, where it has one. */
  readonly group: Group | undefined;
}

/**
 * Makes the cgroup of a sandbox, where it is to have one, and has the launcher enter it. The namespace is made in
 * there, so that what is seen inside is its root.
 *
 * @throws SandboxError `LAUNCH_FAILED`, naming the limit that cannot be set.
 */
export function enterCgroup(
  { plan: { setup }, openGroup }: Prepared<LauncherPlan>,
  isSession: boolean,
): Entered {
  const group = openGroup(isSession);
  if (group === undefined) return { setup, group };
  const { procs, tasks } = group;
  return { group, setup: { ...setup, cgroup: { procs, tasks } } };
}
