import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { LauncherPlan } from "../../backend/plan.js";
import type { StdioTarget, StdioTargets, Streams, WindowSize } from "../../backend/running.js";
import { withStats } from "../../cgroup/stats.js";
import type { Word } from "../../config/text.js";
import { onAbort } from "../../host/abort.js";
import { openStdio, refusePassFds } from "../open-stdio.js";
import type { Prepared } from "../prepared.js";
import type { CheckedEnd, Started } from "../started.js";
import type { Channel } from "./channel.js";
import { type Command, encodeSignal, encodeWindow, type Stream } from "./command.js";
import { enterCgroup } from "./enter-cgroup.js";
import { LiveSandbox } from "./live-sandbox.js";
import { ownLauncher } from "./own-launcher.js";

/**
 * Runs a program in a sandbox of its own, with the launcher.
 *
 * @throws SandboxError `LAUNCH_FAILED`, `CONFIG_INVALID`; what goes wrong later rejects `ended`.
 */
export function startLauncher(
  prepared: Prepared<LauncherPlan>,
  argv: readonly Word[],
  targets: StdioTargets,
  window?: WindowSize,
): Started {
  refusePassFds(targets, "the launcher");
  const stdio = openStdio(targets, prepared.host);
  try {
    const command = onlyCommand(prepared, argv, streamsOf(targets, stdio.merge), targets, window);
    const entered = enterCgroup(prepared, false);
    const open = ownLauncher(prepared.plan, entered.setup, [...stdio.slots, "pipe"]);
    const live = new LiveSandbox(prepared, entered, "run", open, command);
    const { child, startedAt } = live.channel;
    const streams = { ...streamsOn(child), ...stdio.take() };
    return hangUpAfterOutput(live, command, runningOn(live, command, streams, startedAt));
  } finally {
    stdio.close();
  }
}

/** Our ends of the pipes of a process that Node has started. */
export function streamsOn({ stdin, stdout, stderr }: ChildProcess): Streams {
  return { stdin, stdout, stderr };
}

/** The one command of a sandbox. */
export function onlyCommand(
  { config: { cwd, env, limits } }: Prepared,
  argv: readonly Word[],
  streams: Command["streams"],
  { stdout }: StdioTargets,
  window: WindowSize | undefined,
): Command {
  const isOutputRead = stdout === "pipe";
  return { id: ONLY, streams, isOutputRead, cwd, argv, env, limits, window };
}

/** Starts the one command of a sandbox. */
export function runningOn(
  live: LiveSandbox<Channel>,
  command: Command,
  streams: Streams,
  startedAt: number,
): Started {
  const { id } = command;
  const ended = endWithStats(startOrEnd(live, command), live);
  const ifRunning = (act: () => void): boolean => {
    if (!live.isRunning(id)) return false;
    act();
    return true;
  };
  return {
    startedAt,
    streams,
    ended,
    signal: (name) => ifRunning(() => live.send(encodeSignal(id, name))),
    kill: () => ifRunning(() => killRun(live, id)),
    ...(live.group !== undefined && { remove: () => removed(live, command.window !== undefined) }),
    ...(command.window !== undefined && {
      resize: (size) => ifRunning(() => live.send(encodeWindow(id, size))),
    }),
  };
}

/**
 * Ends everything. The signal is written at once, so that a program which is about to begin does not. If the connection
 * ended, too, nobody could tell what the run has used, so pid 1 is given time to say so.
 */
function killRun(live: LiveSandbox<Channel>, id: number): void {
  const { hangUp } = live.channel;
  live.send(encodeSignal(id, "SIGKILL"));
  if (!live.isReady()) hangUp();
  else setTimeout(() => live.isRunning(id) && hangUp(), MOST_LAST_WORDS).unref();
}

/** Milliseconds. */
const MOST_LAST_WORDS = 1_000;

async function endWithStats(
  ending: Promise<CheckedEnd>,
  { group }: LiveSandbox<Channel>,
): Promise<CheckedEnd> {
  const ended = await ending;
  return group === undefined ? ended : withStats(ended, group, true);
}

/**
 * The cgroup is removed when the channel is closed. Behind a terminal that is when its output has been read, and the
 * caller may wait for the result before reading it.
 */
async function removed({ channel }: LiveSandbox<Channel>, hasTerminal: boolean): Promise<void> {
  await (hasTerminal
    ? Promise.race([channel.closed, sleep(UNREAD, undefined, { ref: false })])
    : channel.closed);
}

/** Milliseconds. */
const UNREAD = 5_000;

/**
 * Where there is a terminal, hangs up on the launcher when its program has ended and all that was shown has been read:
 * until then the launcher waits. If it did not, a signal to a program that has just ended would keep Node from reading how.
 */
export function hangUpAfterOutput(
  { channel }: LiveSandbox<Channel>,
  { window }: Command,
  running: Started,
): Started {
  if (window === undefined) return running;
  const { stdout } = running.streams;
  const after = (): void => {
    if (stdout === null || stdout.closed) channel.hangUp();
    else stdout.once("close", channel.hangUp);
  };
  running.ended.then(after, after);
  return running;
}

function startOrEnd(live: LiveSandbox<Channel>, command: Command): Promise<CheckedEnd> {
  try {
    return live.start(command);
  } catch (error) {
    live.channel.hangUp();
    throw error;
  }
}

const ONLY = 1;

/** The launcher opens the null device of the sandbox: Node's `ignore` would be the host's, whose owner can change its mode. */
function streamsOf({ stdin, stdout, stderr }: StdioTargets, merge: boolean): Command["streams"] {
  const stream = (wire: StdioTarget | "stdout"): Stream => (wire === "discard" ? "discard" : "own");
  return [
    stream(stdin),
    stream(stdout),
    merge ? "merged" : stream(stderr === "stdout" ? stdout : stderr),
  ];
}

/** Kills what is being started when its signal is aborted: until it has started, nobody else listens to the signal. */
export async function orAbort(
  signal: AbortSignal | undefined,
  kill: () => void,
  started: Promise<Started>,
): Promise<Started> {
  return started.finally(onAbort(signal, kill));
}
