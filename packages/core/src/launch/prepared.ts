import type { Group } from "../cgroup/group.js";
import type { Need } from "../needs/capability.js";
import type { Host } from "../plan/backend.js";
import type { Plan } from "../plan/plan.js";
import type { ResolvedConfig } from "../plan/resolved-config.js";
import type { Dropped } from "../result/result.js";
import type { Terms } from "./child.js";

/** Everything that is decided before a run: once per sandbox. */
export interface Prepared<AnyPlan extends Plan = Plan> {
  readonly plan: AnyPlan;
  /** What is executed for the plan's `argv`. */
  readonly tool: AnyPlan["argv"];
  readonly config: ResolvedConfig;
  readonly needs: readonly Need[];
  readonly dropped: readonly Dropped[];
  readonly backend: string;
  readonly host: Host;
  /** Fds of this process that were seen to be closed on exec, so that a run need not look at them again. */
  readonly closedOnExec: Set<number>;
  /**
   * Makes the cgroup of a sandbox, where it is to have one.
   *
   * @throws SandboxError `LAUNCH_FAILED`, naming the limit that cannot be set.
   */
  readonly openGroup: (isSession: boolean) => Group | undefined;
  /** The cgroup of the one sandbox that this is for. */
  readonly group?: Group;
}

/** What holds for every run of a sandbox. */
export function termsOf({ backend, dropped, config, plan }: Prepared): Terms {
  const { limits, stop } = config;
  const tellsSignals = plan.mechanisms["exit.signal"] !== undefined;
  return { backend, dropped, limits, wallTime: limits.wallTime, stop, tellsSignals };
}
