import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import type { LauncherPlan, LauncherSetup } from "../../backend/plan.js";
import { killChild, stuck } from "../../host/processes.js";
import { spawnTool } from "../spawn-tool.js";
import { type Channel, channelOver, type LauncherEnd, type Open } from "./channel.js";
import { namespaceBits } from "./setup.js";
import { Watchdog } from "./watchdog.js";

/** The channel to a launcher that is a child of this process. */
export interface OwnChannel extends Channel {
  readonly child: ChildProcess;
}

/** Starts a launcher with the given fds 0 to 2 and, from 4 on, others. */
export function ownLauncher(
  { argv, env }: LauncherPlan,
  setup: LauncherSetup,
  slots: readonly ("pipe" | "ignore" | number)[],
): Open<OwnChannel> {
  return (initialBytes, onMessage) => {
    // It is told the namespaces as an argument, so that it can make them, which takes longest, while this process still
    // sets up the pipes.
    const child = spawnTool([...argv, String(namespaceBits(setup))], { env, stdio: [...slots] });
    const socket = child.stdio[3] as Socket;
    // All first frames are written at once. The launcher may refuse the first and end before a second one is written, and
    // after a failed write Node would not read the reason.
    socket.write(orKill(initialBytes, child));
    const watchdog = new Watchdog(() => killChild(child));
    const end = endOf(child);
    void end.then(() => watchdog.stop());
    const line = {
      write: (frame: Buffer) => void socket.write(frame),
      end: () => {
        socket.end();
        watchdog.expect();
      },
      isOpen: () => !socket.destroyed && child.exitCode === null && child.signalCode === null,
      ended: endedWith(socket, end),
    };
    const { channel, take } = channelOver(line, argv[0], onMessage);
    socket.on("data", take);
    return { ...channel, child };
  };
}

/** A launcher that gets no set-up ends; one that is killed need not be waited for. */
function orKill(make: () => Buffer, child: ChildProcess): Buffer {
  try {
    return make();
  } catch (error) {
    killChild(child.on("error", () => undefined));
    child.stdio[3]?.destroy();
    throw error;
  }
}

/**
 * Waits until the socket is closed, which pid 1 of the sandbox holds, too: it dies with a launcher that was killed, unless
 * it is stuck in the kernel.
 */
async function endedWith(socket: Socket, launcher: Promise<LauncherEnd>): Promise<LauncherEnd> {
  const closed = closing(socket);
  const end = await launcher;
  let isStuck = false;
  const watchdog = new Watchdog(() => {
    isStuck = true;
    socket.destroy();
  });
  if (end.wasKilled) watchdog.expect();
  await closed;
  watchdog.stop();
  if (isStuck) throw stuck();
  return end;
}

/** Resolves when a launcher has ended, or could not be started. */
export function endOf(child: ChildProcess): Promise<LauncherEnd> {
  return new Promise((resolve) => {
    child.once("error", ({ message }) =>
      resolve({ how: `cannot be started (${message})`, wasKilled: false }),
    );
    child.once("exit", (exitCode, signal) => resolve(launcherEnd(exitCode, signal)));
  });
}

/** Puts the end of a launcher into words. */
export function launcherEnd(exitCode: number | null, signal: string | null): LauncherEnd {
  if (signal === null) return { how: `ended with status ${exitCode}`, wasKilled: false };
  return { how: `was killed by ${signal}`, wasKilled: true };
}

function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    // A launcher that dies early closes its end: its exit says why.
    socket.on("error", () => undefined).on("close", () => resolve());
  });
}
