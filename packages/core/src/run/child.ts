import type { Readable, Writable } from "node:stream";
import type { Streams } from "../backend/running.js";
import type { Limits } from "../config/types.js";
import { now } from "../host/lazily.js";
import type { Dropped, SandboxResult } from "../result/result.js";
import type { Prepared } from "../start/prepared.js";
import type { CheckedEnd, Started } from "../start/started.js";
import { startCaptures } from "./capture.js";
import { assertWindow } from "./check-options.js";
import { type DeadlineTerms, deadline } from "./deadline.js";
import { type LinesOptions, linesOf } from "./lines.js";
import type { RunOptions } from "./options.js";
import { outcomeOf, type Stop } from "./outcome.js";
import { pipedOutputs } from "./piped-outputs.js";
import { startRelays } from "./relay.js";
import { pumpStdin } from "./stdin-pump.js";
import type { ResolvedStdio } from "./stdio.js";

/** A running program. Disposing of it ends it. */
export interface SandboxChild extends AsyncDisposable {
  /**
   * Streams of what is a `pipe`; else null. When the program has ended, `stdin` is destroyed, what nobody has begun to
   * read is thrown away, and an output that a process outside keeps open ends when nothing has come for two seconds.
   */
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /**
   * What the run came to, once listeners to `data` have had all of its output. Rejects with a SandboxError when the sandbox
   * itself failed.
   */
  readonly result: Promise<SandboxResult>;
  /**
   * Sends a signal, SIGTERM by default, to the program; false when it has ended. SIGKILL ends everything it started, too.
   * SIGINT, SIGQUIT, SIGHUP and those that stop and continue go to the program's process group, as from a terminal.
   *
   * @throws TypeError when this system has no signal of that name; real-time ones have those of {@link signalName}.
   */
  kill(signal?: NodeJS.Signals): boolean;
  /**
   * The lines of an output that is a `pipe`, as they come: text without the `\n` or `\r\n` that ended it. Bytes that
   * are not UTF-8 become U+FFFD. Whoever stops early closes the stream, and the program can write no more.
   *
   * @throws SandboxError `CONFIG_INVALID` when the output is no pipe; `STREAM_FAILED` for a line that is too long.
   */
  lines(output: "stdout" | "stderr", options?: LinesOptions): AsyncIterableIterator<string>;
  /**
   * Gives the program's terminal another size, of which it is told by SIGWINCH; false when it has none or has ended.
   *
   * @throws SandboxError `CONFIG_INVALID` for a size that no terminal can have.
   */
  resize(columns: number, rows: number): boolean;
}

/** What is the same for every run of a sandbox: what its result says of the sandbox, its limits, and when it is ended. */
export interface Terms extends DeadlineTerms {
  readonly backend: string;
  readonly dropped: readonly Dropped[];
  readonly limits: Limits;
  /** Whether the backend tells death by a signal apart from the exit status 128+n. */
  readonly tellsSignals: boolean;
}

/** The terms of a prepared sandbox. */
export function termsOf({ backend, dropped, config, plan }: Prepared): Terms {
  const { limits, stop } = config;
  const tellsSignals = plan.mechanisms["exit.signal"] !== undefined;
  return { backend, dropped, limits, wallTime: limits.wallTime, stop, tellsSignals };
}

/**
 * Follows a program to its end: writes its standard input, captures or copies its output, ends it at its deadline, and
 * puts the result together.
 */
export function childOf(
  running: Started,
  terms: Terms,
  options: RunOptions,
  { sinks, close }: Pick<ResolvedStdio, "sinks" | "close"> = NOTHING,
): SandboxChild {
  let signaled: NodeJS.Signals | undefined;
  const { stop, over, hasKilled } = deadline(running, terms, options.signal);
  const captures = startCaptures(running.streams, options, stop);
  const relays = startRelays(running.streams, options, sinks, terms.limits, stop);
  const unfeed = pumpStdin(running.streams.stdin, options.stdin, stop);
  const pipes = pipesOf(running.streams, options);
  const outputs = pipedOutputs(pipes);
  const seconds = (): number => (now() - running.startedAt) / 1000;
  const finish = async (): Promise<SandboxResult> => {
    let wallTime = 0;
    let stopped: Stop | undefined;
    const hear = (): void => {
      wallTime = seconds();
      stopped = over(wallTime);
      unfeed();
    };
    const ended = await endOf(running, hear);
    const [stdout, stderr] = await captures.drained();
    const failed = await relays.drained();
    await outputs.delivered();
    const enforced = ended.enforced();
    return {
      ...outcomeOf(ended, {
        stderr,
        // The output may have passed its limit only when the program had ended already.
        stopped: stopped ?? captures.overrun() ?? failed,
        signaled,
        killed: hasKilled(),
        ...terms,
      }),
      ...(stdout !== undefined && { stdout }),
      ...(stderr !== undefined && { stderr }),
      usage: { wallTime, ...ended.usage },
      backend: terms.backend,
      enforcement: { enforced, dropped: terms.dropped },
    };
  };
  const finished = async (): Promise<SandboxResult> => {
    try {
      return await finish();
    } finally {
      captures.cut();
      running.streams.stdin?.destroy();
      outputs.close();
      await relays.cut();
      close();
    }
  };
  const result = finished();
  // The caller may look at the result late, or never.
  result.catch(() => undefined);
  const kill = (signal: NodeJS.Signals = "SIGTERM"): boolean => {
    const sent = signal === "SIGKILL" ? running.kill() : running.signal(signal);
    if (sent) signaled = signal;
    return sent;
  };
  return {
    ...pipes,
    result,
    kill,
    lines: (output, how) => linesOf(output, pipes[output], how),
    resize(columns, rows) {
      assertWindow({ columns, rows });
      return running.resize?.({ columns, rows }) ?? false;
    },
    [Symbol.asyncDispose]: () => dispose(kill, result),
  };
}

/** The stdio of a run that reads and writes no file. */
const NOTHING = { sinks: {}, close: () => undefined } as const;

/** Calls `hear` as soon as the program has ended; only then removes what the host had for it. */
async function endOf(running: Started, hear: () => void): Promise<CheckedEnd> {
  try {
    return await running.ended.finally(hear);
  } finally {
    await running.remove?.();
  }
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
