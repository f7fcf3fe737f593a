import type { ChildProcess } from "node:child_process";
import type { Stream } from "node:stream";
import type { LauncherPlan } from "../backend/plan.js";
import type { ResolvedConfig } from "../backend/resolved-config.js";
import type { StdioTargets, Streams } from "../backend/running.js";
import { withStats } from "../cgroup/stats.js";
import type { Word } from "../config/text.js";
import { now } from "../host/lazily.js";
import { SandboxError } from "../result/error.js";
import { neverStarted } from "../run/begin.js";
import { type Command, encodeOpened, encodeSignal, streamsOf } from "../start/launcher/command.js";
import type { KeepAlive } from "../start/launcher/keep-alive.js";
import type { LiveSandbox } from "../start/launcher/live-sandbox.js";
import type { Pipes } from "../start/launcher/message.js";
import { NO_STREAMS, openStreams } from "../start/launcher/pipes.js";
import { orAbort } from "../start/launcher/run.js";
import { Watchdog } from "../start/launcher/watchdog.js";
import { spawnTool } from "../start/spawn-tool.js";
import type { CheckedEnd, Started } from "../start/started.js";

/** Starts a command in a session. Rejects with a SandboxError, `LAUNCH_FAILED`, when there are no fds left for it. */
export type Starter = (
  argv: readonly Word[],
  settings: Pick<ResolvedConfig, "env" | "cwd" | "limits">,
  targets: StdioTargets,
  signal: AbortSignal | undefined,
) => Promise<Started>;

/**
 * @param launcher - How it is started, to hand on fds with.
 * @param hold - Keeps this process alive for a command.
 */
export function starter(
  live: LiveSandbox,
  launcher: LauncherPlan["argv"],
  hold: KeepAlive,
): Starter {
  const sendFds = fdSender(launcher, live.channel.child.stdio[4] as unknown as Stream);
  let last = 0;
  return async (argv, settings, targets, signal) => {
    const release = hold();
    try {
      last += 1;
      const command = {
        id: last,
        streams: streamsOf(targets),
        isOutputRead: targets.stdout === "pipe",
        argv,
        window: undefined,
        ...settings,
      };
      if (command.streams.includes("sent") && signal?.aborted !== true)
        await sendFds(command.id, targets);
      const { ended, ...running } =
        signal?.aborted === true ? neverStarted() : await begin(live, command, signal);
      return { ...running, ended: ended.finally(release) };
    } catch (error) {
      release();
      throw error;
    }
  };
}

function begin(
  live: LiveSandbox,
  command: Command,
  abort: AbortSignal | undefined,
): Promise<Started> {
  const { child, send } = live.channel;
  const startedAt = now();
  const signal = (name: NodeJS.Signals): boolean => {
    if (!live.isRunning(command.id)) return false;
    send(encodeSignal(command.id, name));
    return true;
  };
  // A program can keep its end from being reported. If it does not end when it is killed, the session is ended.
  const watchdog = new Watchdog(live.channel.hangUp);
  // The launcher sends SIGKILL to the whole process group.
  const kill = (): boolean => {
    const isSent = signal("SIGKILL");
    if (isSent) watchdog.expect();
    return isSent;
  };
  const started = new Promise<Started>((resolve, reject) => {
    const ready = (streams: Streams): void => resolve({ startedAt, streams, ended, signal, kill });
    const ended = startWithStats(live, command, (pipes) => {
      try {
        ready(openStreams(child.pid, pipes));
      } catch (error) {
        kill();
        reject(error);
      }
      send(encodeOpened(command.id));
    });
    const over = (): void => watchdog.stop();
    ended.then(over, over);
    // A command may fail before it has pipes, and one without pipes is running as soon as it was sent.
    ended.then(() => ready(NO_STREAMS), reject);
    if (!command.streams.includes("pipe")) ready(NO_STREAMS);
  });
  return orAbort(abort, kill, started);
}

/** The cgroup counts for the whole session. Of one command it tells only whether it was killed for want of memory. */
async function startWithStats(
  live: LiveSandbox,
  command: Command,
  onPipes: (pipes: Pipes["fds"]) => void,
): Promise<CheckedEnd> {
  const { group } = live;
  const before = group?.stats().oomKills;
  const ended = await live.start(command, onPipes);
  return group === undefined ? ended : withStats(ended, group, false, before);
}

/** Hands the fds that a command is to have on to the sandbox, under the id of the command. */
export type SendFds = (id: number, targets: StdioTargets) => Promise<void>;

/**
 * Node cannot send an fd over a socket, but it can start a process with it: the launcher, told `send-fds`, sends on what it
 * was started with. One after the other, so that they arrive in the order of the commands.
 */
function fdSender(launcher: LauncherPlan["argv"], socket: Stream): SendFds {
  let before: Promise<void> = Promise.resolve();
  return (id, targets) => {
    before = before.catch(() => undefined).then(() => send(launcher, socket, id, targets));
    return before;
  };
}

async function send(
  launcher: LauncherPlan["argv"],
  socket: Stream,
  id: number,
  targets: StdioTargets,
): Promise<void> {
  // Nothing else has to be sent.
  const slots = [targets.stdin, targets.stdout, targets.stderr].map((wire) =>
    typeof wire === "number" ? wire : "ignore",
  );
  const child = spawnTool([...launcher, "send-fds", String(id)], {
    env: {},
    stdio: [...slots, socket],
  });
  const status = await exitOf(child);
  if (status === 0) return;
  throw new SandboxError("LAUNCH_FAILED", `the standard streams cannot be handed on: ${status}`);
}

function exitOf(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(code ?? String(signal)));
  });
}
