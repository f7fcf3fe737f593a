import type { Readable, Writable } from "node:stream";
import type { Need } from "../needs/capability.js";
import type { Host } from "../plan/backend.js";
import type { Plan } from "../plan/plan.js";
import type { ResolvedConfig } from "../plan/resolved-config.js";
import type { Dropped, SandboxResult } from "../result/result.js";
import { checker } from "../verify/checker.js";
import { type Capture, capture } from "./capture.js";
import { type Launched, launch } from "./launch.js";
import { outcomeOf, type Stop } from "./outcome.js";
import type { OutputOption, StdioOptions } from "./stdio.js";
import { type Watched, watch } from "./watch.js";

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

/** Everything that is decided before a run: once per sandbox. */
export interface Prepared {
  readonly plan: Plan;
  readonly config: ResolvedConfig;
  readonly needs: readonly Need[];
  readonly dropped: readonly Dropped[];
  readonly backend: string;
  readonly host: Host;
  readonly closedOnExec: Set<number>;
}

const DEFAULT_MAX_OUTPUT = 64 * 1024 * 1024;
const DRAIN_LIMIT = 2_000;

/**
 * Starts a program in a prepared sandbox.
 *
 * @throws SandboxError as {@link launch} does; what goes wrong later rejects `result`.
 */
export function startChild(
  prepared: Prepared,
  argv: readonly string[],
  options: RunOptions,
): SandboxChild {
  const { plan, config, host, closedOnExec } = prepared;
  const launched = launch(plan, config, argv, options, host, closedOnExec);
  const checked = checker(prepared.needs, plan, prepared.backend);
  const watched: Watched = watch(launched, plan, () => {
    if (checked.fails(watched.report().read)) watched.kill();
  });
  let stopped: Stop | undefined;
  let signaled: NodeJS.Signals | undefined;
  const stop = (reason: Stop): void => {
    stopped ??= reason;
    watched.kill();
  };
  const captures = startCaptures(launched, options, stop);
  const disarm = arm(config.limits.wallTime, options.signal, stop);
  const result = watched.ended.then(async (ended) => {
    disarm();
    // Off the way of the result: the guardian may hear of it a moment later.
    setImmediate(launched.release);
    launched.undo();
    const [stdout, stderr] = await Promise.all([
      drained(captures.stdout),
      drained(captures.stderr),
    ]);
    const enforced = checked.enforced(watched.report().read);
    return {
      ...outcomeOf(ended, { plan, report: watched.report().text, stderr, stopped, signaled }),
      ...(stdout !== undefined && { stdout }),
      ...(stderr !== undefined && { stderr }),
      usage: { wallTime: (performance.now() - launched.startedAt) / 1000 },
      backend: prepared.backend,
      enforcement: { enforced, dropped: prepared.dropped },
    };
  });
  // The caller may look at the result late, or never.
  result.catch(() => undefined);
  const kill = (signal: NodeJS.Signals = "SIGTERM"): boolean => {
    const sent = signal === "SIGKILL" ? watched.kill() : watched.signal(signal);
    if (sent) signaled = signal;
    return sent;
  };
  return {
    ...streams(launched, options),
    result,
    kill,
    [Symbol.asyncDispose]: () => dispose(kill, result),
  };
}

async function dispose(kill: SandboxChild["kill"], result: Promise<unknown>): Promise<void> {
  kill("SIGKILL");
  await result.catch(() => undefined);
}

function streams(
  { child }: Launched,
  options: RunOptions,
): Pick<SandboxChild, "stdin" | "stdout" | "stderr"> {
  return {
    stdin: options.stdin === "pipe" ? child.stdin : null,
    stdout: options.stdout === "pipe" ? child.stdout : null,
    stderr: options.stderr === "pipe" ? child.stderr : null,
  };
}

function startCaptures(
  { child }: Launched,
  { stdout = "capture", stderr = "capture", maxOutput = DEFAULT_MAX_OUTPUT }: RunOptions,
  stop: (reason: Stop) => void,
): { stdout?: Capture; stderr?: Capture } {
  const start = (
    name: "stdout" | "stderr",
    option: OutputOption | "stdout",
  ): Capture | undefined => {
    const stream = child[name];
    if (option !== "capture" || stream === null) return undefined;
    return capture(stream, maxOutput, () => stop({ limit: name, bytes: maxOutput }));
  };
  const [out, error] = [start("stdout", stdout), start("stderr", stderr)];
  return {
    ...(out !== undefined && { stdout: out }),
    ...(error !== undefined && { stderr: error }),
  };
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

/** A process that was not killed, where the backend cannot, may hold the pipe: wait for the rest, but not for ever. */
async function drained(captured: Capture | undefined): Promise<Uint8Array | undefined> {
  if (captured === undefined) return undefined;
  if (captured.closed()) return captured.bytes();
  const timer = setTimeout(() => captured.cut(), DRAIN_LIMIT);
  await captured.done;
  clearTimeout(timer);
  return captured.bytes();
}
