import type { Backend, Host } from "../backend/backend.js";
import type { Plan, ToolPlan } from "../backend/plan.js";
import type { ResolvedConfig } from "../backend/resolved-config.js";
import type { Need } from "../capability/capability.js";
import type { Group } from "../cgroup/group.js";
import type { Dropped } from "../result/result.js";

/** When what the kernel says of a sandbox is held against what was asked for. */
export type Verify = "always" | "once" | "never";

/** When to verify, and whether a sandbox of this config has been found as it should be. */
export interface Verification {
  readonly when: Verify;
  hasPassed: boolean;
}

/** Whether the next program is to wait until its sandbox has been verified. */
export function isHeld({ when, hasPassed }: Verification): boolean {
  return when === "always" || (when === "once" && !hasPassed);
}

/** Everything that is decided before a run: once per sandbox. */
export interface Prepared<AnyPlan extends Plan = Plan> {
  readonly plan: AnyPlan;
  /** Of a plan for a tool: what is executed for its `argv`. */
  readonly tool: ToolPlan["argv"] | undefined;
  /** Of the same: fds of this process that it is to find as others. */
  readonly clonedFds: ReadonlyMap<number, number>;
  readonly config: ResolvedConfig;
  readonly needs: readonly Need[];
  readonly dropped: readonly Dropped[];
  /** The name of the backend. */
  readonly backend: Backend["name"];
  readonly host: Host;
  /** Fds of this process that were seen to be closed on exec, so that a run need not look at them again. */
  readonly closedOnExec: Set<number>;
  /** Whether each sandbox has a cgroup. */
  readonly hasGroup: boolean;
  readonly verification: Verification;
  /**
   * Makes the cgroup of a sandbox, where it is to have one.
   *
   * @throws SandboxError `LAUNCH_FAILED`, naming the limit that cannot be set.
   */
  readonly openGroup: (isSession: boolean) => Group | undefined;
}
