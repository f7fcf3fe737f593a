import { EventEmitter } from "node:events";
import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";
import { getSystemErrorName } from "node:util";
import type { ToolPlan } from "../../backend/plan.js";
import type { StdioTargets, Streams } from "../../backend/running.js";
import { filter } from "../../host/seccomp-filter.js";
import { SandboxError } from "../../result/error.js";
import { signalName } from "../../result/signal.js";
import type { ForkServer, ToolRequest } from "../launcher/fork-server.js";
import { canFork } from "../launcher/forked-run.js";
import type { ServerMessage } from "../launcher/message.js";
import { openStreams } from "../launcher/pipes.js";

/** A process of a tool: as much of Node's `ChildProcess` as a run needs. */
export interface ToolProcess {
  readonly pid?: number | undefined;
  readonly exitCode: number | null;
  readonly signalCode: NodeJS.Signals | null;
  once(event: "error", listener: (error: Error) => void): unknown;
  once(
    event: "exit",
    listener: (exitCode: number | null, signal: NodeJS.Signals | null) => void,
  ): unknown;
}

/** What a tool reads from a `hold`. */
export const GO_AHEAD = "\n";

/** Kills a tool and its group, which one that has just been started may not have yet. */
export function killGroup({ pid }: ToolProcess): void {
  if (pid === undefined) return;
  for (const each of [-pid, pid]) {
    try {
      process.kill(each, "SIGKILL");
    } catch {
      // It is gone, or this process has changed its ids.
    }
  }
}

/** Whether a fork server can start a tool for such a plan and such streams. */
export function canForkTool(plan: ToolPlan, targets: StdioTargets): boolean {
  const contents = Object.values(plan.fds ?? {});
  return (
    plan.startedBy !== undefined &&
    canFork(targets) &&
    contents.every((content) => content !== "lifeline" && !isClone(content)) &&
    contents.filter(isPipe).length <= 3
  );
}

type Content = NonNullable<ToolPlan["fds"]>[number];

function isClone(content: Content): boolean {
  return typeof content === "object" && "clone" in content;
}

/** What a tool waits for comes over a pipe, as late as possible. */
function isPipe(content: Content): boolean {
  return typeof content === "object"
    ? "data" in content && content.isForProgram !== true
    : content === "report" || content === "hold";
}

/** A tool that a fork server has started. */
export interface ForkedTool {
  readonly child: ToolProcess;
  readonly streams: Streams;
  /** Our ends of the pipes among its fds, by their numbers. */
  readonly pipes: ReadonlyMap<number, Socket>;
}

/**
 * Has a fork server start a tool. Resolves when it has a process.
 *
 * @throws SandboxError `LAUNCH_FAILED`
 */
export function forkTool(
  server: ForkServer,
  request: Omit<ToolRequest, "fds">,
  fds: NonNullable<ToolPlan["fds"]>,
  mustHold: boolean,
): Promise<ForkedTool> {
  const contents = Object.entries(fds).map(([fd, content]) => ({
    fd: Number(fd),
    content: contentOf(content, mustHold),
  }));
  const piped = contents.filter(({ content }) => content === "in" || content === "out");
  const child = new Child();
  return new Promise((resolve, reject) => {
    let began: readonly [number, number, number] | undefined;
    let pipes: readonly number[] = [];
    const hear = (message: ServerMessage): void => {
      if (message.type === "began") began = message.fds;
      else if (message.type === "tool pipes") pipes = message.fds;
      else if (message.type === "gone") child.end(message.status);
      else if (message.type === "failed") {
        const error = new Error(`${message.what}: ${getSystemErrorName(-message.errno)}`);
        if (child.pid === undefined) reject(notStarted(request.argv, error));
        else child.fail(error);
      } else if (message.type === "tool started" && began !== undefined) {
        child.pid = message.pid;
        try {
          resolve(opened(server, child, began, piped, pipes));
        } catch (error) {
          killGroup(child);
          reject(error as Error);
        }
        server.opened(request.id);
      }
    };
    const lose = (): void => {
      const error = new Error("the process that starts it has ended");
      if (child.pid === undefined) reject(notStarted(request.argv, error));
      // What dies with the server may not have told its own children to die with it yet.
      killGroup(child);
      child.fail(error);
    };
    server.startTool({ ...request, fds: contents }, { hear, lose });
  });
}

function contentOf(content: Content, mustHold: boolean): Uint8Array | "in" | "out" {
  if (content === "report") return "out";
  if (content === "hold") return mustHold ? "in" : Buffer.from(GO_AHEAD);
  if (content === "filter") return filter();
  if (typeof content === "object" && "filter" in content) return filter(content.filter);
  if (typeof content === "string" || !("data" in content)) throw new TypeError("not for a server");
  if (content.isForProgram !== true) return "in";
  return typeof content.data === "string" ? Buffer.from(content.data) : content.data;
}

function opened(
  server: ForkServer,
  child: ToolProcess,
  began: readonly [number, number, number],
  piped: readonly { fd: number; content: unknown }[],
  numbers: readonly number[],
): ForkedTool {
  const streams = openStreams(server.pid, began);
  const pipes = new Map<number, Socket>();
  try {
    for (const [index, { fd, content }] of piped.entries())
      pipes.set(fd, openPipe(`/proc/${server.pid}/fd/${numbers[index]}`, content === "in"));
    return { child, streams, pipes };
  } catch (cause) {
    for (const each of [...Object.values(streams), ...pipes.values()]) each?.destroy();
    const hint = "This process may have too many files open.";
    throw new SandboxError(
      "LAUNCH_FAILED",
      `the pipes of a tool cannot be opened: ${String(cause)}`,
      { hint, cause },
    );
  }
}

function openPipe(path: string, writable: boolean): Socket {
  const fd = openSync(path, writable ? constants.O_WRONLY : constants.O_RDONLY);
  try {
    return new Socket({ fd, readable: !writable, writable });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function notStarted([program]: readonly string[], cause: Error): SandboxError {
  return new SandboxError("LAUNCH_FAILED", `${program} cannot be started: ${cause.message}`, {
    cause,
  });
}

class Child extends EventEmitter implements ToolProcess {
  pid: number | undefined;
  exitCode: number | null = null;
  signalCode: NodeJS.Signals | null = null;

  constructor() {
    super();
    // Nobody listens where the start has failed, and an error that nobody hears ends this process.
    this.on("error", () => undefined);
  }

  /** @param status - As wait(2) has it. */
  end(status: number): void {
    const signal = status & 127;
    if (signal === 0) this.exitCode = (status >> 8) & 255;
    else this.signalCode = signalName(signal) as NodeJS.Signals;
    this.#tell(() => this.emit("exit", this.exitCode, this.signalCode));
  }

  fail(error: Error): void {
    this.exitCode = -1;
    this.#tell(() => this.emit("error", error));
  }

  /** All that the server says can come at once, and nobody listens before its first words have been acted on. */
  #tell(emit: () => void): void {
    setImmediate(emit);
  }
}
