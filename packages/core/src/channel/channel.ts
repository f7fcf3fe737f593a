import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { gone, initOf, stuck } from "../launch/gone.js";
import { spawnTool } from "../launch/spawn-tool.js";
import type { LauncherPlan } from "../plan/plan.js";
import { SandboxError } from "../result/error.js";
import { type Message, messageReader } from "./message.js";
import { namespaceBits } from "./setup.js";

/** A launcher that has been started, and the socket over which core speaks with it. */
export interface Channel {
  readonly child: ChildProcess;
  readonly startedAt: number;
  readonly send: (frame: Buffer) => void;
  /** Whether the launcher is there, as far as this process knows. */
  readonly isOpen: () => boolean;
  /** Ends everything in the sandbox; false when it has ended already. */
  readonly hangUp: () => boolean;
  /**
   * Resolves, with what it is worth saying, when the launcher and everything in the sandbox are gone.
   * Rejects with `CLEANUP_FAILED` when they would not go.
   */
  readonly closed: Promise<SandboxError>;
}

const PATIENCE = 5_000;

/**
 * Starts a launcher.
 *
 * @param greeting - Its first frames.
 * @throws SandboxError `LAUNCH_FAILED`
 */
export function openChannel(
  { argv, env, setup }: LauncherPlan,
  slots: readonly ("pipe" | "ignore" | number)[],
  greeting: Buffer,
  onMessage: (message: Message) => void,
): Channel {
  const startedAt = performance.now();
  // The namespaces, which take the kernel longest, it can make while this process is busy with the pipes.
  const child = spawnTool([...argv, String(namespaceBits(setup))], { env, stdio: [...slots] });
  const socket = child.stdio[3] as Socket;
  // The launcher is waiting by now. And in one go: it may refuse the first frame and be gone before a second, and a
  // write that fails would keep Node from reading why.
  socket.write(greeting);
  let initPid: number | undefined;
  let broken: Error | undefined;
  const read = messageReader((message) => {
    if (message.type === "ready") initPid = message.initPid;
    onMessage(message);
  });
  const hangUp = (): boolean => {
    if (socket.destroyed) return false;
    // What the launcher still has to say can be read meanwhile.
    socket.end();
    setTimeout(() => child.kill("SIGKILL"), PATIENCE).unref();
    return true;
  };
  socket.on("data", (chunk: Buffer) => {
    if (broken !== undefined) return;
    try {
      read(chunk);
    } catch (error) {
      broken ??= error instanceof Error ? error : new Error(String(error));
      hangUp();
    }
  });
  const closed = Promise.all([exited(child), closing(socket)]).then(async ([how]) => {
    // A launcher that ends by itself has waited for pid 1, and so for everything.
    const orphan = child.signalCode === null ? undefined : initPid;
    if (orphan !== undefined && !(await gone(initOf(orphan), true))) throw stuck();
    const why = broken === undefined ? how : `broke the protocol: ${broken.message}`;
    return new SandboxError("LAUNCH_FAILED", `${argv[0]} ${why}, and the sandbox with it`);
  });
  closed.catch(() => undefined);
  const isOpen = (): boolean =>
    !socket.destroyed && child.exitCode === null && child.signalCode === null;
  return { child, startedAt, send: (frame) => void socket.write(frame), isOpen, hangUp, closed };
}

function exited(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(`cannot be started (${error.message})`));
    child.once("exit", (exitCode, signal) =>
      resolve(signal === null ? `ended with status ${exitCode}` : `was killed by ${signal}`),
    );
  });
}

function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    // A launcher that dies early closes its end: its exit says why.
    socket.on("error", () => undefined).on("close", () => resolve());
  });
}
