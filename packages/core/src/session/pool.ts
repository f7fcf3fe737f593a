import type { LauncherPlan } from "../backend/plan.js";
import type { WindowSize } from "../backend/running.js";
import { checkKinds, KINDS } from "../config/kinds.js";
import { invalidOption, refuseUnknown } from "../config/options.js";
import type { Word } from "../config/text.js";
import { shown } from "../config/text.js";
import type { ConfigInput } from "../config/types.js";
import { assertNotAborted, orAborted } from "../host/abort.js";
import type { SandboxResult } from "../result/result.js";
import { begin, beginAsync } from "../run/begin.js";
import { checkedOptions, commandOf, piped, refusePipes, windowOf } from "../run/check-options.js";
import { type SandboxChild, termsOf } from "../run/child.js";
import type { RunOptions } from "../run/options.js";
import { assertTerminal, forTerminal } from "../run/terminal.js";
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
 * Waiting sandboxes do not keep this process alive. They inherit from it what a run does: see `run` of a sandbox.
 */
export interface Pool extends AsyncDisposable {
  /** The name of the backend. */
  readonly backend: string;
  /**
   * Resolves when as many sandboxes wait as the pool is to have; rejects when one cannot be set up, and with the reason of
   * the signal when that is aborted, which ends nothing but the waiting.
   */
  ready(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
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
  const terms = termsOf(prepared);
  const asked = (argv: readonly Word[] | undefined, given: PooledOptions): Asked => {
    const command = commandOf(argv ?? config.command);
    const checked = checkedOptions(given, POOLED_OPTIONS);
    if (windowOf(checked.tty) !== undefined) insist("tty", "a terminal");
    return { command, ...optionsOf(prepared, checked) };
  };
  const close = (): Promise<void> => idle.close();
  return {
    backend: prepared.backend,
    async ready(options = {}) {
      checkKinds(options, { signal: KINDS.signal });
      assertNotAborted(options.signal);
      return orAborted(options.signal, idle.filled());
    },
    async run(argv, given = {}) {
      refusePipes(given);
      const { command, options, window } = asked(argv, given);
      const child = await beginAsync(prepared, terms, options, (targets) =>
        idle.run(command, targets, window, options.signal),
      );
      return child.result;
    },
    spawn(argv, given) {
      const { command, options, window } = asked(argv, piped(given));
      return begin(prepared, terms, options, (targets) => idle.spawn(command, targets, window));
    },
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

/** What a caller asks for. */
interface Asked {
  readonly command: readonly Word[];
  readonly options: RunOptions;
  readonly window: WindowSize | undefined;
}

function optionsOf(prepared: Prepared<LauncherPlan>, given: RunOptions): Omit<Asked, "command"> {
  const window = windowOf(given.tty);
  const options = forTerminal(given, window);
  if (window !== undefined) assertTerminal(prepared.config, options);
  for (const name of ["stdin", "stdout", "stderr"] as const) assertPiped(name, options[name]);
  return { options, window };
}

function assertPiped(path: string, option: RunOptions["stdin" | "stderr"]): void {
  const isOwn =
    typeof option === "object" ? "fd" in option || "file" in option : option === "inherit";
  if (!isOwn) return;
  const hint = "Capture the output or use pipes, or run the command in a sandbox of its own.";
  throw invalidOption(path, "a sandbox of a pool has its streams before it has a command", hint);
}
