import { isMainThread } from "node:worker_threads";
import type { LauncherPlan } from "../../backend/plan.js";
import type { StdioTargets, Streams, WindowSize } from "../../backend/running.js";
import type { Word } from "../../config/text.js";
import { signalName } from "../../result/signal.js";
import type { Prepared } from "../prepared.js";
import type { Started } from "../started.js";
import { type Channel, channelOver, type LauncherEnd, type Open } from "./channel.js";
import { streamsOf } from "./command.js";
import { enterCgroup } from "./enter-cgroup.js";
import type { ForkServer, LaunchRequest } from "./fork-server.js";
import { forkServer } from "./fork-servers.js";
import { LiveSandbox } from "./live-sandbox.js";
import type { ServerMessage } from "./message.js";
import { launcherEnd } from "./own-launcher.js";
import { NO_STREAMS, openStreams } from "./pipes.js";
import { hangUpAfterOutput, onlyCommand, orAbort, runningOn } from "./run.js";
import { namespaceBits } from "./setup.js";

/**
 * Whether a fork server can start a run with such streams: it has none of this process's fds. It is not used in a worker
 * thread, because Node closes at the end of the thread every fd number that was opened in it, although the number may
 * belong to somebody else by then.
 */
export function canFork(targets: StdioTargets): boolean {
  return isMainThread && targets.passFds === undefined && !streamsOf(targets).includes("sent");
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
  const server = forkServer(prepared.plan);
  const id = server.nextId();
  const command = { ...onlyCommand(prepared, argv, own as unknown as typeof streams, window), id };
  const pipes = streams.map((stream) => stream === "pipe") as [boolean, boolean, boolean];
  const entered = enterCgroup(prepared, false);
  const request = { id, namespaces: namespaceBits(entered.setup), pipes };
  let kill = (): unknown => undefined;
  const started = new Promise<Started>((resolve, reject) => {
    const launcher = forkedLauncher(server, prepared.plan.argv[0], request, (open) => {
      try {
        resolve(hangUpAfterOutput(live, command, { ...running, streams: open() }));
      } catch (error) {
        live.channel.hangUp();
        const fail = (): void => reject(error);
        live.channel.closed.then(fail, fail);
      }
    });
    const live = new LiveSandbox(prepared, entered, "run", launcher, command);
    const unforked = runningOn(live, command, NO_STREAMS, startedAt);
    const running: Started = {
      ...unforked,
      kill: () => {
        server.forbid(id);
        return unforked.kill();
      },
    };
    kill = () => running.kill();
    // The run may fail before it has streams.
    running.ended.then(() => resolve(running), reject);
  });
  return orAbort(signal, kill, started);
}

/**
 * Has the fork server start a launcher.
 *
 * @param onStreams - Called once when there is one, to open our ends of its standard streams. It must not throw.
 */
function forkedLauncher(
  server: ForkServer,
  launcher: string,
  request: Omit<LaunchRequest, "initialBytes">,
  onStreams: (open: () => Streams) => void,
): Open<Channel> {
  return (initialBytes, onMessage) => {
    const { id } = request;
    let isOpen = true;
    let settle: (end: LauncherEnd) => void = () => undefined;
    const ended = new Promise<LauncherEnd>((resolve) => {
      settle = resolve;
    });
    const lose = (end: LauncherEnd): void => {
      isOpen = false;
      settle(end);
    };
    const hear = (message: ServerMessage): void => {
      if (message.type === "said") take(message.bytes);
      else if (message.type === "gone") lose(waited(message.status));
      else if (message.type === "failed") {
        onMessage({ ...message, id: 0 });
        lose({ how: "was not started", wasKilled: false });
      } else {
        onStreams(() => openStreams(server.pid, message.fds));
        server.opened(id);
      }
    };
    server.start({ ...request, initialBytes }, { hear, lose });
    const line = {
      write: (bytes: Buffer) => server.write(id, bytes),
      end: () => server.end(id),
      isOpen: () => isOpen && server.isOpen(),
      ended,
    };
    const { channel, take } = channelOver(line, launcher, onMessage);
    return channel;
  };
}

/** As wait(2) has it. */
function waited(status: number): LauncherEnd {
  const number = status & 127;
  return number === 0
    ? launcherEnd((status >> 8) & 255, null)
    : launcherEnd(null, signalName(number));
}
