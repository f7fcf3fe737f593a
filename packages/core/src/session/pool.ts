import type { LauncherPlan } from "../backend/plan.js";
import { invalidOption, refuseUnknown } from "../config/options.js";
import type { Word } from "../config/text.js";
import { shown } from "../config/text.js";
import type { ConfigInput } from "../config/types.js";
import type { SandboxResult } from "../result/result.js";
import { begin } from "../run/begin.js";
import { checkedOptions, commandOf, piped, refusePipes, windowOf } from "../run/check-options.js";
import { type SandboxChild, termsOf } from "../run/child.js";
import type { RunOptions } from "../run/options.js";
import { assertTerminal, forTerminal } from "../run/terminal.js";
import type { Command } from "../start/launcher/command.js";
import { streamsOf } from "../start/launcher/command.js";
import { hangUpAfterOutput, onlyCommand, runningOn } from "../start/launcher/run.js";
import { prepare } from "../start/prepare.js";
import type { Prepared } from "../start/prepared.js";
import { SANDBOX_OPTIONS, type SandboxOptions } from "../start/sandbox-options.js";
import { forLauncher } from "../start/start.js";
import { IdleSandboxes } from "./idle-sandboxes.js";

/** How a pool is made. */
export interface PoolOptions extends SandboxOptions {
  /** How many sandboxes wait for a command, 1 to 256. */
  readonly size: number;
}

/**
 * Sandboxes that are set up and wait, each for one run: a run costs little more than an exec. Used ones are never used
 * again, and replaced in the background. What the config binds is what was there when the waiting sandbox was set up.
 * Waiting sandboxes do not keep this process alive.
 */
export interface Pool extends AsyncDisposable {
  /** The name of the backend. */
  readonly backend: string;
  /** Resolves when as many sandboxes wait as the pool is to have; rejects when one cannot be set up. */
  ready(): Promise<void>;
  /** Runs a command to its end and captures its output. Default: the config's own `command`. */
  run(argv?: readonly Word[], options?: PooledOptions): Promise<SandboxResult>;
  /** Starts a command; its standard streams are pipes unless the options say otherwise. */
  spawn(argv?: readonly Word[], options?: PooledOptions): SandboxChild;
  /** Ends every sandbox, waiting or running. Resolves when they are gone. */
  close(): Promise<void>;
}

/** As {@link RunOptions}, but for fds and files of the caller: a waiting sandbox has its streams already. */
export type PooledOptions = Omit<RunOptions, "passFds">;

/**
 * Prepares a config as {@link createSandbox} does, and starts to set sandboxes up.
 *
 * @throws SandboxError as {@link createSandbox}; `CAPABILITY_UNSUPPORTED` where the backend has no pools.
 */
export async function createPool(input: ConfigInput, poolOptions: PoolOptions): Promise<Pool> {
  refuseUnknown(poolOptions, { size: true, ...SANDBOX_OPTIONS });
  const { size, ...options } = poolOptions;
  assertSize(size);
  const { config, prepared: any, insist } = await prepare(input, options);
  insist("pool", "createPool");
  const prepared = forLauncher(any);
  const idle = new IdleSandboxes(prepared, size);
  // Nobody waits for the first sandboxes yet. A set-up that fails is reported by `ready` and by the runs.
  idle.filled().catch(() => undefined);
  const startChild = (argv: readonly Word[] | undefined, given: PooledOptions): SandboxChild => {
    const command = commandOf(argv ?? config.command);
    const checked = checkedOptions(given, POOLED_OPTIONS);
    if (windowOf(checked.tty) !== undefined) insist("tty", "a terminal");
    return start(prepared, idle, command, checked);
  };
  const close = (): Promise<void> => idle.close();
  return {
    backend: prepared.backend,
    ready: () => idle.filled(),
    async run(argv, given = {}) {
      refusePipes(given);
      return startChild(argv, given).result;
    },
    spawn: (argv, given) => startChild(argv, piped(given)),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The names of the options of a run in a pool. */
const POOLED_OPTIONS: Readonly<Record<keyof PooledOptions, true>> = {
  stdin: true,
  stdout: true,
  stderr: true,
  signal: true,
  maxOutput: true,
  tty: true,
};

const MAX_SIZE = 256;

function assertSize(size: number): void {
  if (Number.isSafeInteger(size) && size >= 1 && size <= MAX_SIZE) return;
  throw invalidOption("size", `${shown(size)} is not a whole number from 1 to ${MAX_SIZE}`);
}

function start(
  prepared: Prepared<LauncherPlan>,
  idle: IdleSandboxes,
  argv: readonly Word[],
  given: PooledOptions,
): SandboxChild {
  const window = windowOf(given.tty);
  const options = forTerminal(given, window);
  if (window !== undefined) assertTerminal(prepared.config, options);
  for (const name of ["stdin", "stdout", "stderr"] as const) assertPiped(name, options[name]);
  return begin(prepared, termsOf(prepared), options, (targets) => {
    const startedAt = performance.now();
    const { live, streams: own } = idle.take();
    // A waiting sandbox has pipes already.
    const streams = streamsOf(targets).map((stream) => (stream === "pipe" ? "own" : stream));
    const command = onlyCommand(prepared, argv, streams as unknown as Command["streams"], window);
    return hangUpAfterOutput(live, command, runningOn(live, command, own, startedAt));
  });
}

function assertPiped(path: string, option: RunOptions["stdin" | "stderr"]): void {
  const isOwn =
    typeof option === "object" ? "fd" in option || "file" in option : option === "inherit";
  if (!isOwn) return;
  const hint = "Capture the output or use pipes, or run the command in a sandbox of its own.";
  throw invalidOption(path, "a sandbox of a pool has its streams before it has a command", hint);
}
