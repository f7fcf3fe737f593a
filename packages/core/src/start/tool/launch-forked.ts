import type { ToolPlan } from "../../backend/plan.js";
import type { StdioTargets } from "../../backend/running.js";
import { now } from "../../host/lazily.js";
import { rlimitsFor, rlimitsOf } from "../../host/rlimit.js";
import { assertProgram } from "../../paths/program.js";
import { recheckPaths } from "../../paths/resolve-paths.js";
import type { ForkServer } from "../launcher/fork-server.js";
import { forkServer } from "../launcher/fork-servers.js";
import { isHeld, type Prepared } from "../prepared.js";
import { connectFds, type Launched, openAround } from "./around.js";
import { type ForkedTool, forkTool, killGroup } from "./fork.js";
import { withLimits } from "./prlimit.js";

/**
 * Starts the plan's tool by a fork server, whose fork takes less than Node's. Resolves when the tool has a process. What the tool waits
 * for is written after the last look at the paths.
 *
 * @param isAborted - Whether the run was ended meanwhile: the tool is killed then, before it has read what it waits for.
 * @throws SandboxError as `launch` does.
 */
export async function launchForked(
  { plan: general, tool, config, host, backend, verification }: Prepared<ToolPlan>,
  by: string,
  argv: readonly string[],
  targets: StdioTargets,
  {
    onServer,
    isAborted,
  }: { onServer: (server: ForkServer, id: number) => void; isAborted: () => boolean },
): Promise<Launched> {
  const around = openAround({ ...general, argv: tool ?? general.argv }, argv, backend, host);
  let forked: ForkedTool | undefined;
  let release = (): void => undefined;
  try {
    const { plan, watch } = around;
    const startedAt = now();
    const words = withLimits(plan.argv, plan, rlimitsOf(config.limits), host);
    // The launcher would do that itself, for one more exec.
    const readOnlyDev = words[0] === by && words[1] === "read-only-dev";
    const server = forkServer({ argv: [by], env: {} });
    const id = server.nextId();
    onServer(server, id);
    const [stdin, stdout] = [streamOf(targets.stdin), streamOf(targets.stdout)];
    const stderr = targets.stderr === "stdout" ? "stdout" : streamOf(targets.stderr);
    const request = {
      id,
      openFiles: rlimitsFor({})[0]?.soft ?? 0,
      streams: [stdin, stdout, stderr] as const,
      readOnlyDev,
      argv: readOnlyDev ? words.slice(2) : words,
      env: plan.env,
    };
    const mustHold = isHeld(verification);
    forked = await forkTool(server, request, plan.fds ?? {}, mustHold);
    const { child, streams, pipes } = forked;
    if (child.pid !== undefined) release = watch(child.pid);
    recheckPaths(config);
    assertProgram(config, argv[0] ?? "");
    if (isAborted()) killGroup(child);
    const fds = connectFds(pipes, plan, mustHold);
    return { ...around, child, streams, startedAt, release, ...fds };
  } catch (error) {
    if (forked !== undefined) abandon(forked);
    release();
    around.undoNow(forked !== undefined);
    throw error;
  }
}

function streamOf(wire: StdioTargets["stdout"]): "discard" | "pipe" {
  return wire === "discard" ? "discard" : "pipe";
}

function abandon({ child, streams, pipes }: ForkedTool): void {
  killGroup(child);
  for (const stream of [...Object.values(streams), ...pipes.values()]) stream?.destroy();
}
