import type { LauncherPlan, Plan } from "../backend/plan.js";
import type { StdioTargets, WindowSize } from "../backend/running.js";
import type { Word } from "../config/text.js";
import { SandboxError } from "../result/error.js";
import { startEngine } from "./engine/engine.js";
import { canFork, startForked } from "./launcher/forked-run.js";
import { startLauncher } from "./launcher/run.js";
import type { Prepared } from "./prepared.js";
import type { Started } from "./started.js";
import { startTool } from "./tool/tool.js";

/**
 * Starts a program in a sandbox of its own, in the way of the plan's kind.
 *
 * @throws SandboxError as {@link startTool}, {@link startLauncher} and {@link startEngine} do.
 */
export function start(
  prepared: Prepared,
  argv: readonly Word[],
  stdio: StdioTargets,
  window?: WindowSize,
): Started {
  if (isOfKind(prepared, "launcher")) return startLauncher(prepared, argv, stdio, window);
  if (isOfKind(prepared, "engine")) return startEngine(prepared, argv, stdio, window);
  if (window === undefined && isOfKind(prepared, "tool")) return startTool(prepared, argv, stdio);
  throw notForLauncher(prepared);
}

/**
 * The same, where the caller can wait for the streams: that can take less time.
 *
 * @throws SandboxError as {@link start}.
 */
export async function startAsync(
  prepared: Prepared,
  argv: readonly Word[],
  stdio: StdioTargets,
  window: WindowSize | undefined,
  signal: AbortSignal | undefined,
): Promise<Started> {
  return isOfKind(prepared, "launcher") && canFork(stdio)
    ? startForked(prepared, argv, stdio, window, signal)
    : start(prepared, argv, stdio, window);
}

/**
 * What a session or a pool is made with.
 *
 * @throws SandboxError `BACKEND_INVALID` for a backend of somebody else's, which declares what core cannot do with its
 * plans.
 */
export function forLauncher(prepared: Prepared): Prepared<LauncherPlan> {
  if (isOfKind(prepared, "launcher")) return prepared;
  throw notForLauncher(prepared);
}

function isOfKind<Kind extends Plan["kind"]>(
  prepared: Prepared,
  kind: Kind,
): prepared is Prepared<Extract<Plan, { kind: Kind }>> {
  return prepared.plan.kind === kind;
}

function notForLauncher({ backend }: Prepared): SandboxError {
  const message = `the backend ${backend} declares it, and its plan is not for the launcher`;
  return new SandboxError("BACKEND_INVALID", message, { backend, hint: "Tell its author." });
}
