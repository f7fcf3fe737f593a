import type { LauncherPlan, Plan, ToolPlan } from "../backend/plan.js";
import type { Running, WindowSize } from "../backend/running.js";
import type { StdioTargets } from "../backend/stdio.js";
import type { Word } from "../config/word.js";
import { SandboxError } from "../result/error.js";
import { canFork, startForked } from "./launcher/forked-run.js";
import { startLauncher } from "./launcher/run.js";
import type { Prepared } from "./prepared.js";
import { startTool } from "./tool/tool.js";

/**
 * Starts a program in a sandbox of its own, as the plan has it.
 *
 * @throws SandboxError as {@link startTool} and {@link startLauncher} do.
 */
export function start(
  prepared: Prepared,
  argv: readonly Word[],
  wires: StdioTargets,
  window?: WindowSize,
): Running {
  if (usesLauncher(prepared)) return startLauncher(prepared, argv, wires, window);
  if (window !== undefined) throw withoutLauncher(prepared.backend);
  return startTool(prepared as Prepared<ToolPlan>, argv, wires);
}

/**
 * The same, where the caller can wait for the streams: that can take less.
 *
 * @throws SandboxError as {@link start}.
 */
export async function startAsync(
  prepared: Prepared,
  argv: readonly Word[],
  wires: StdioTargets,
  window: WindowSize | undefined,
  signal: AbortSignal | undefined,
): Promise<Running> {
  if (!usesLauncher(prepared) || !canFork(wires)) return start(prepared, argv, wires, window);
  return startForked(prepared, argv, wires, window, signal);
}

/** A backend of somebody else's may declare what core cannot do with its plans. */
export function withoutLauncher(backend: string): SandboxError {
  const message = `the backend ${backend} declares it, and its plan is not for the launcher`;
  return new SandboxError("BACKEND_INVALID", message, { backend, hint: "Tell its author." });
}

/** The same of everything that was prepared. */
export function usesLauncher(prepared: Prepared): prepared is Prepared<LauncherPlan> {
  return isLauncherPlan(prepared.plan);
}

/** Whether a plan is for the launcher. */
export function isLauncherPlan(plan: Plan): plan is LauncherPlan {
  return "setup" in plan;
}
