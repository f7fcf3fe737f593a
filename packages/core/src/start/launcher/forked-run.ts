import type { LauncherPlan } from "../../backend/plan.js";
import type { StdioTargets, WindowSize } from "../../backend/running.js";
import type { Word } from "../../config/text.js";
import { isMainThread, now } from "../../host/lazily.js";
import type { Prepared } from "../prepared.js";
import type { Started } from "../started.js";
import type { Channel } from "./channel.js";
import { type Command, streamsOf } from "./command.js";
import { enterCgroup } from "./enter-cgroup.js";
import { type ForkedChannel, forkedLauncher } from "./forked-launcher.js";
import { type IdleSandbox, ownStreams } from "./idle-sandbox.js";
import { LiveSandbox } from "./live-sandbox.js";
import { NO_STREAMS } from "./pipes.js";
import { hangUpAfterOutput, onlyCommand, orAbort, runningOn } from "./run.js";

/**
 * Whether a fork server can start a run with such streams: it has none of this process's fds. It is not used in a worker
 * thread, because Node closes at the end of the thread every fd number that was opened in it, although the number may
 * belong to somebody else by then.
 */
export function canFork(targets: StdioTargets): boolean {
  return isMainThread() && targets.passFds === undefined && !streamsOf(targets).includes("sent");
}

/**
 * Runs a program in a sandbox of its own, with a launcher that the fork server starts. Resolves when its streams are
 * there.
 *
 * @param onLive - Called with the sandbox as soon as there is one.
 * @throws SandboxError `LAUNCH_FAILED`; what goes wrong later rejects `ended`.
 */
export async function startForked(
  prepared: Prepared<LauncherPlan>,
  argv: readonly Word[],
  targets: StdioTargets,
  window: WindowSize | undefined,
  signal: AbortSignal | undefined,
  onLive?: (live: LiveSandbox<Channel>) => void,
): Promise<Started> {
  const startedAt = now();
  const pipes = pipesOf(targets);
  const { id, open } = forkedLauncher(prepared.plan, { pipes, waits: false });
  const command = { ...onlyCommand(prepared, argv, ownStreams(targets), targets, window), id };
  const live = new LiveSandbox(prepared, enterCgroup(prepared, false), "run", open, command);
  onLive?.(live);
  return whenBegun(live, command, pipes, startedAt, signal);
}

/**
 * Has the fork server start a launcher whose command comes later.
 *
 * @throws SandboxError `LAUNCH_FAILED`
 */
export function idleForked(prepared: Prepared<LauncherPlan>): IdleSandbox {
  const { id, open } = forkedLauncher(prepared.plan, { pipes: [true, true, true], waits: true });
  const live = new LiveSandbox(prepared, enterCgroup(prepared, false), "run", open);
  const { channel } = live;
  const commandFor: typeof onlyCommand = (...of) => ({ ...onlyCommand(...of), id });
  return {
    live,
    hold: channel.hold,
    hasStreams: channel.hasBegun,
    spawn(argv, targets, window) {
      const startedAt = now();
      const command = commandFor(prepared, argv, ownStreams(targets), targets, window);
      const running = forkedRunning(live, command, startedAt);
      return withStreams(live, command, running, pipesOf(targets));
    },
    run(argv, targets, window, signal) {
      const startedAt = now();
      const command = commandFor(prepared, argv, ownStreams(targets), targets, window);
      return whenBegun(live, command, pipesOf(targets), startedAt, signal);
    },
    drop: () => undefined,
  };
}

type Pipes = readonly [boolean, boolean, boolean];

function pipesOf(targets: StdioTargets): Pipes {
  return streamsOf(targets).map((stream) => stream === "pipe") as unknown as Pipes;
}

/** Starts the command of a sandbox. Resolves when its streams are there. */
async function whenBegun(
  live: LiveSandbox<ForkedChannel>,
  command: Command,
  pipes: Pipes,
  startedAt: number,
  signal: AbortSignal | undefined,
): Promise<Started> {
  const running = forkedRunning(live, command, startedAt);
  const started = new Promise<Started>((resolve, reject) => {
    live.channel.whenBegun(() => {
      try {
        resolve(withStreams(live, command, running, pipes));
      } catch (error) {
        const fail = (): void => reject(error);
        live.channel.closed.then(fail, fail);
      }
    });
    // The run may fail before it has streams.
    running.ended.then(() => resolve(running), reject);
  });
  return orAbort(signal, () => running.kill(), started);
}

function forkedRunning(
  live: LiveSandbox<ForkedChannel>,
  command: Command,
  startedAt: number,
): Started {
  const running = runningOn(live, command, NO_STREAMS, startedAt);
  const kill = (): boolean => {
    live.channel.forbid();
    return running.kill();
  };
  return { ...running, kill };
}

function withStreams(
  live: LiveSandbox<ForkedChannel>,
  command: Command,
  running: Started,
  pipes: Pipes,
): Started {
  try {
    const streams = live.channel.openStreams(pipes);
    return hangUpAfterOutput(live, command, { ...running, streams });
  } catch (error) {
    live.channel.hangUp();
    throw error;
  }
}
