import type { Prepared } from "../launch/prepared.js";
import type { LauncherPlan } from "../plan/plan.js";

/**
 * Makes the cgroup of a sandbox, where it is to have one, and has the launcher enter it. The namespace is made in
 * there, so that what is seen inside is its root.
 *
 * @throws SandboxError `LAUNCH_FAILED`, naming the limit that cannot be set.
 */
export function enterGroup(
  prepared: Prepared<LauncherPlan>,
  isSession: boolean,
): Prepared<LauncherPlan> {
  const group = prepared.openGroup(isSession);
  if (group === undefined) return prepared;
  const { plan } = prepared;
  const { namespaces } = plan.setup;
  const { procs, tasks } = group;
  const setup = {
    ...plan.setup,
    namespaces: namespaces.filter((name) => name !== "cgroup"),
    cgroup: { procs, tasks, namespace: namespaces.includes("cgroup") },
  };
  return { ...prepared, group, plan: { ...plan, setup } };
}
