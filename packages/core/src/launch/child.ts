import type { Readable, Writable } from "node:stream";
import type { Dropped, SandboxResult } from "../result/result.js";
import { type Capture, capture } from "./capture.js";
import { outcomeOf, type Stop } from "./outcome.js";
import type { Running, Streams } from "./running.js";
import type { OutputOption, StdioOptions } from "./stdio.js";

/** How one command is run. */
export interface RunOptions extends StdioOptions {
  /** Ends the run at once, with the outcome `aborted`. */
  readonly signal?: AbortSignal | undefined;
  /** The most bytes to capture of each output; a run that writes more is ended as `limit-exceeded`. Default: 64 MiB. */
  readonly maxOutput?: number | undefined;
}

/** A running program. Disposing of it ends it. */
export interface SandboxChild extends AsyncDisposable {
  /** Streams of the outputs that are a `pipe`; else null. */
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** What the run came to. Rejects with a SandboxError when the sandbox itself failed. */
  readonly result: Promise<SandboxResult>;
  /** Sends a signal, SIGTERM by default, to the program; false when it has ended. SIGKILL ends everything it started, too. */
  kill(signal?: NodeJS.Signals): boolean;
}

/** What the result of a run tells of the sandbox, and how long the run may take, in seconds. */
export interface Terms {
  readonly backend: string;
  readonly dropped: readonly Dropped[];
  readonly wallTime: number | undefined;
}

const DEFAULT_MAX_OUTPUT = 64 * 1024 * 1024;
const DRAIN_STEP = 100;
const DRAIN_STEPS = 20;

/** Looks after a program to its end: captures its output, ends it when it must, and puts the result together. */
export function childOf(running: Running, terms: Terms, options: RunOptions): SandboxChild {
  let stopped: Stop | undefined;
  let signaled: NodeJS.Signals | undefined;
  const stop = (reason: Stop): void => {
    stopped ??= reason;
    running.kill();
  };
  const captures = startCaptures(running.streams, options, stop);
  const disarm = arm(terms.wallTime, options.signal, stop);
  const finish = async (): Promise<SandboxResult> => {
    const ended = await running.ended.finally(disarm);
    const [stdout, stderr] = await Promise.all([
      drained(captures.stdout),
      drained(captures.stderr),
    ]);
    const enforced = ended.enforced();
    return {
      ...outcomeOf(ended, { stderr, stopped, signaled }),
      ...(stdout !== undefined && { stdout }),
      ...(stderr !== undefined && { stderr }),
      usage: { wallTime: (performance.now() - running.startedAt) / 1000, ...ended.usage },
      backend: terms.backend,
      enforcement: { enforced, dropped: terms.dropped },
    };
  };
  const result = finish();
  // The caller may look at the result late, or never.
  result.catch(() => undefined);
  const kill = (signal: NodeJS.Signals = "SIGTERM"): boolean => {
    const sent = signal === "SIGKILL" ? running.kill() : running.signal(signal);
    if (sent) signaled = signal;
    return sent;
  };
  return {
    ...pipesOf(running.streams, options),
    result,
    kill,
    [Symbol.asyncDispose]: () => dispose(kill, result),
  };
}

async function dispose(kill: SandboxChild["kill"], result: Promise<unknown>): Promise<void> {
  kill("SIGKILL");
  await result.catch(() => undefined);
}

function pipesOf(streams: Streams, options: RunOptions): Streams {
  return {
    stdin: options.stdin === "pipe" ? streams.stdin : null,
    stdout: options.stdout === "pipe" ? streams.stdout : null,
    stderr: options.stderr === "pipe" ? streams.stderr : null,
  };
}

function startCaptures(
  streams: Streams,
  { stdout = "capture", stderr = "capture", maxOutput = DEFAULT_MAX_OUTPUT }: RunOptions,
  stop: (reason: Stop) => void,
): { readonly stdout: Capture | undefined; readonly stderr: Capture | undefined } {
  const start = (
    name: "stdout" | "stderr",
    option: OutputOption | "stdout",
  ): Capture | undefined => {
    const stream = streams[name];
    if (option !== "capture" || stream === null) return undefined;
    return capture(stream, maxOutput, () => stop({ limit: name, bytes: maxOutput }));
  };
  return { stdout: start("stdout", stdout), stderr: start("stderr", stderr) };
}

/** Sets everything that may end the run from outside; returns what takes it back. */
function arm(
  wallTime: number | undefined,
  signal: AbortSignal | undefined,
  stop: (reason: Stop) => void,
): () => void {
  const timer =
    wallTime === undefined ? undefined : setTimeout(() => stop("timed-out"), wallTime * 1000);
  const abort = (): void => stop("aborted");
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted === true) abort();
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  };
}

/**
 * A process that was not killed, where the backend cannot, may hold the pipe: wait for the rest, but not for ever. In
 * steps, between which Node reads: where this process was busy, one long wait would be over before anything was read.
 */
async function drained(captured: Capture | undefined): Promise<Uint8Array | undefined> {
  for (let step = 0; step < DRAIN_STEPS && captured?.closed() === false; step += 1)
    await orLater(captured.done, DRAIN_STEP);
  if (captured?.closed() === false) captured.cut();
  await captured?.done;
  return captured?.bytes();
}

function orLater(done: Promise<void>, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    void done.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
