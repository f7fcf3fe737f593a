import { canFork, startForked } from "../channel/forked-run.js";
import { startLauncher } from "../channel/run.js";
import type { LauncherPlan, Plan, ToolPlan } from "../plan/plan.js";
import type { Prepared } from "./prepared.js";
import type { Running } from "./running.js";
import type { StdioOptions } from "./stdio.js";
import { startTool } from "./tool.js";

/**
 * Starts a program in a sandbox of its own, as the plan has it.
 *
 * @throws SandboxError as {@link startTool} and {@link startLauncher} do.
 */
export function start(prepared: Prepared, argv: readonly string[], options: StdioOptions): Running {
  return usesLauncher(prepared)
    ? startLauncher(prepared, argv, options)
    : startTool(prepared as Prepared<ToolPlan>, argv, options);
}

/**
 * The same, where the caller can wait for the streams: that can take less.
 *
 * @throws SandboxError as {@link start}.
 */
export async function startSoon(
  prepared: Prepared,
  argv: readonly string[],
  options: StdioOptions,
): Promise<Running> {
  return usesLauncher(prepared) && canFork(options)
    ? startForked(prepared, argv, options)
    : start(prepared, argv, options);
}

/** Whether a plan is for the launcher. */
export function usesLauncher(prepared: Prepared): prepared is Prepared<LauncherPlan> {
  return isLauncherPlan(prepared.plan);
}

function isLauncherPlan(plan: Plan): plan is LauncherPlan {
  return "setup" in plan;
}
