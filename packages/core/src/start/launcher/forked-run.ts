import { isMainThread } from "node:worker_threads";
import type { LauncherPlan } from "../../backend/plan.js";
import type { WindowSize } from "../../backend/running.js";
import type { StdioTargets } from "../../backend/stdio.js";
import type { Word } from "../../config/word.js";
import type { Prepared } from "../prepared.js";
import type { Started } from "../started.js";
import { enterCgroup } from "./enter-cgroup.js";
import { forkedLauncher } from "./forked-launcher.js";
import { Live } from "./live.js";
import { NO_STREAMS } from "./pipes.js";
import { onlyCommand, orAbort, runningOn } from "./run.js";
import { streamsOf } from "./streams.js";

/**
 * Whether a fork server can start a run with such streams: it has none of our fds. In a worker thread Node keeps a list
 * of what was opened by number, and closes it all at the end of the thread, also what others have under these numbers
 * by then.
 */
export function canFork(targets: StdioTargets): boolean {
  return isMainThread && targets.passFds === undefined && !streamsOf(targets).includes("courier");
}

/**
 * Runs a program in a sandbox of its own, with a launcher that the fork server starts. Resolves when its streams are
 * there.
 *
 * @throws SandboxError `LAUNCH_FAILED`; what goes wrong later rejects `ended`.
 */
export async function startForked(
  prepared: Prepared<LauncherPlan>,
  argv: readonly Word[],
  targets: StdioTargets,
  window: WindowSize | undefined,
  signal: AbortSignal | undefined,
): Promise<Started> {
  const startedAt = performance.now();
  const streams = streamsOf(targets);
  const own = streams.map((stream) => (stream === "pipe" ? "own" : stream));
  const command = onlyCommand(prepared, argv, own as unknown as typeof streams, window);
  const pipes = streams.map((stream) => stream === "pipe") as [boolean, boolean, boolean];
  const entered = enterCgroup(prepared, false);
  let kill = (): unknown => undefined;
  const started = new Promise<Started>((resolve, reject) => {
    const launcher = forkedLauncher(prepared.plan, entered.setup, pipes, (open) => {
      try {
        resolve({ ...running, streams: open() });
      } catch (error) {
        live.channel.hangUp();
        const fail = (): void => reject(error);
        live.channel.closed.then(fail, fail);
      }
    });
    const live = new Live(prepared, entered, "run", launcher, command);
    const running = runningOn(live, command, NO_STREAMS, startedAt);
    kill = () => running.kill();
    // It may fail before there are streams.
    running.ended.then(() => resolve(running), reject);
  });
  return orAbort(signal, kill, started);
}
