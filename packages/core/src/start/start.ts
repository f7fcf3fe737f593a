import { broken } from "../backend/broken.js";
import type { LauncherPlan, Plan } from "../backend/plan.js";
import type { StdioTargets, WindowSize } from "../backend/running.js";
import type { Word } from "../config/text.js";
import type { SandboxError } from "../result/error.js";
import { startLauncher } from "./launcher/run.js";
import type { Prepared } from "./prepared.js";
import type { Started } from "./started.js";

/** What starts programs in other ways than that of a run from the shell, once it has been asked for. */
const loaded: {
  forked?: typeof import("./launcher/forked-run.js");
  tool?: typeof import("./tool/tool.js").startTool;
  forkedTool?: {
    readonly canStart: typeof import("./tool/tool.js").canStartForked;
    readonly start: typeof import("./tool/tool.js").startToolForked;
  };
  engine?: typeof import("./engine/engine.js").startEngine;
} = {};

/**
 * Loads what starts plans of a kind. Most processes use one of the three. It is not left to the first run: by then this
 * process may have no fd left to read a file with.
 *
 * @param isForOne - Whether there will be one run only, for which a fork server would take longer.
 */
export async function loadStarter(kind: Plan["kind"], isForOne: boolean): Promise<void> {
  if (kind === "launcher" && !isForOne) loaded.forked ??= await import("./launcher/forked-run.js");
  if (kind === "tool") {
    const { startTool, canStartForked, startToolForked } = await import("./tool/tool.js");
    loaded.tool ??= startTool;
    if (!isForOne) loaded.forkedTool ??= { canStart: canStartForked, start: startToolForked };
  }
  if (kind === "engine") loaded.engine ??= (await import("./engine/engine.js")).startEngine;
}

/**
 * Starts a program in a sandbox of its own, in the way of the plan's kind, for which {@link loadStarter} has been called.
 *
 * @throws SandboxError as `startTool`, {@link startLauncher} and `startEngine` do.
 */
export function start(
  prepared: Prepared,
  argv: readonly Word[],
  stdio: StdioTargets,
  window?: WindowSize,
): Started {
  if (isOfKind(prepared, "launcher")) return startLauncher(prepared, argv, stdio, window);
  const { tool, engine } = loaded;
  if (engine !== undefined && isOfKind(prepared, "engine"))
    return engine(prepared, argv, stdio, window);
  if (tool !== undefined && window === undefined && isOfKind(prepared, "tool"))
    return tool(prepared, argv, stdio);
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
  const { forked } = loaded;
  if (forked?.canFork(stdio) === true && isOfKind(prepared, "launcher"))
    return forked.startForked(prepared, argv, stdio, window, signal);
  const { forkedTool } = loaded;
  if (window === undefined && isOfKind(prepared, "tool") && forkedTool?.canStart(prepared, stdio))
    return forkedTool.start(prepared, argv, stdio, signal);
  return start(prepared, argv, stdio, window);
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

/** What starts launchers by the fork server, where that can be used: see `canFork`. */
export function forkedStarter(): typeof loaded.forked {
  const { forked } = loaded;
  return forked?.canFork(NO_FDS) === true ? forked : undefined;
}

const NO_FDS = { stdin: "pipe", stdout: "pipe", stderr: "pipe" } as const;

function isOfKind<Kind extends Plan["kind"]>(
  prepared: Prepared,
  kind: Kind,
): prepared is Prepared<Extract<Plan, { kind: Kind }>> {
  return prepared.plan.kind === kind;
}

function notForLauncher({ backend }: Prepared): SandboxError {
  return broken(backend, "it declares what only a plan for the launcher can do, and gave another");
}
