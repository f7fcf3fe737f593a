import type { ResolvedConfig } from "../backend/resolved-config.js";
import { CGROUP_LIMITS } from "../cgroup/setting.js";
import { parseConfig } from "../config/parse.js";
import type { Word } from "../config/text.js";
import type { Config, ConfigInput } from "../config/types.js";
import { assertNotAborted, onAbort } from "../host/abort.js";
import { SandboxError } from "../result/error.js";
import type { SandboxResult } from "../result/result.js";
import { beginAsync } from "../run/begin.js";
import { checkedOptions, commandOf, piped, refusePipes } from "../run/check-options.js";
import { type SandboxChild, termsOf } from "../run/child.js";
import type { DeadlineTerms } from "../run/deadline.js";
import type { RunOptions } from "../run/options.js";
import { enterCgroup } from "../start/launcher/enter-cgroup.js";
import { keepAlive } from "../start/launcher/keep-alive.js";
import { LiveSandbox } from "../start/launcher/live-sandbox.js";
import { ownLauncher } from "../start/launcher/own-launcher.js";
import type { Prepared } from "../start/prepared.js";
import { forLauncher } from "../start/start.js";
import { starter } from "./starter.js";

/** How one command of a session is run. */
export interface CommandOptions extends Omit<RunOptions, "passFds" | "tty">, CommandSettings {}

/**
 * One sandbox for many commands, also at the same time. What they leave in its /tmp and the processes that they leave
 * behind are there for the next one, until it is closed.
 *
 * When a command is ended from outside (`wallTime`, `signal`, SIGKILL), its process group is; what has left that group
 * lives until the session closes. A command that does not end within five seconds of that ends the session. A session that
 * nobody closes does not keep this process alive.
 */
export interface Session extends AsyncDisposable {
  /** The name of the backend. */
  readonly backend: string;
  /** Runs a command to its end and captures its output. Default: the config's own `command`. */
  run(argv?: readonly Word[], options?: CommandOptions): Promise<SandboxResult>;
  /** Starts a command; resolves when its streams are there, which are pipes unless the options say otherwise. */
  spawn(argv?: readonly Word[], options?: CommandOptions): Promise<SandboxChild>;
  /** Ends every process in it. Resolves when they are gone; a second call does no harm. */
  close(): Promise<void>;
}

/** How a session is opened. */
export interface SessionOptions {
  /**
   * Gives the session up while it is being opened: the promise is rejected with the signal's reason, and nothing is left.
   * Once it is there, the signal does nothing more to it.
   */
  readonly signal?: AbortSignal | undefined;
}

/** @throws SandboxError what stops a run. */
export async function openSession(
  any: Prepared,
  command: readonly string[] | undefined,
  signal: AbortSignal | undefined,
): Promise<Session> {
  assertNotAborted(signal);
  const prepared = forLauncher(any);
  const slots = ["ignore", "ignore", "ignore", "pipe", "pipe"] as const;
  const entered = enterCgroup(prepared, true);
  const open = ownLauncher(prepared.plan, entered.setup, slots);
  const live = new LiveSandbox(prepared, entered, "session", open);
  await readyUntil(signal, live);
  const hold = keepAlive(live.channel.child);
  const start = starter(live, prepared.plan.argv, hold);
  const { backend, config } = prepared;
  let isClosed = false;
  const startChild = async (
    argv: readonly Word[] | undefined,
    given: CommandOptions,
  ): Promise<SandboxChild> => {
    if (isClosed) throw new SandboxError("LAUNCH_FAILED", "the session has been closed");
    const options = checkedOptions(withoutTerminal(given), COMMAND_OPTIONS);
    const { wallTime, stop, ...settings } = settingsOf(config, options);
    const words = commandOf(argv ?? command);
    const terms = { ...termsOf(prepared), limits: settings.limits, wallTime, stop };
    return beginAsync(prepared, terms, options, (targets) =>
      start(words, settings, targets, options.signal),
    );
  };
  const close = async (): Promise<void> => {
    isClosed = true;
    const release = hold();
    live.channel.hangUp();
    await live.channel.closed.finally(release);
  };
  return {
    backend,
    async run(argv, options = {}) {
      refusePipes(options);
      return (await startChild(argv, options)).result;
    },
    spawn: (argv, options) => startChild(argv, piped(options)),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Waits for a sandbox to be set up. An abort ends it, and is told when nothing of it is left. */
async function readyUntil(signal: AbortSignal | undefined, live: LiveSandbox): Promise<void> {
  const offAbort = onAbort(signal, live.channel.hangUp);
  try {
    await live.ready;
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  } finally {
    offAbort();
  }
  if (signal?.aborted !== true) return;
  await live.channel.closed;
  assertNotAborted(signal);
}

/** Refuses a terminal: a launcher can relay one only, and a session has one launcher for all commands. */
function withoutTerminal(options: CommandOptions): CommandOptions {
  if ((options as RunOptions).tty === undefined || (options as RunOptions).tty === false)
    return options;
  throw new SandboxError("CONFIG_INVALID", "tty: a command of a session cannot have one", {
    path: "tty",
    hint: "Use `spawn` of a sandbox or of a pool.",
  });
}

/** The names of the options of a command. */
const COMMAND_OPTIONS: Readonly<Record<keyof CommandOptions, true>> = {
  stdin: true,
  stdout: true,
  stderr: true,
  signal: true,
  maxOutput: true,
  env: true,
  cwd: true,
  limits: true,
  stop: true,
};

/** What a command of a session may have of its own. */
export interface CommandSettings {
  /** Its exact environment, beside `PWD`. Default: the config's. */
  readonly env?: ConfigInput["env"];
  /** An absolute path inside. Default: the config's. */
  readonly cwd?: string | undefined;
  /** Those of the command alone, not those of the whole sandbox. Default: the config's. */
  readonly limits?: Config["limits"] | undefined;
  /** Default: the config's. */
  readonly stop?: ConfigInput["stop"];
}

/**
 * Checks the settings of a command by the rules of the config, and fills in what they leave open.
 *
 * @throws SandboxError `CONFIG_INVALID`
 */
function settingsOf(
  config: ResolvedConfig,
  { env, cwd, limits, stop }: CommandSettings,
): Pick<ResolvedConfig, "env" | "cwd" | "limits"> & DeadlineTerms {
  if ([env, cwd, limits, stop].every((setting) => setting === undefined)) {
    const { wallTime } = config.limits;
    const { env: own, cwd: at } = config;
    return { env: own, cwd: at, limits: config.limits, wallTime, stop: config.stop };
  }
  refuseShared(limits);
  const parsed = parseConfig({ root: config.root, cwd: cwd ?? config.cwd, env, limits, stop });
  const ownLimits = limits === undefined ? config.limits : parsed.limits;
  return {
    env: { ...(env === undefined ? config.env : parsed.env), PWD: parsed.cwd },
    cwd: parsed.cwd,
    limits: ownLimits,
    wallTime: ownLimits.wallTime,
    stop: parsed.stop ?? config.stop,
  };
}

/** The commands of a session are in one cgroup. */
function refuseShared(limits: CommandSettings["limits"]): void {
  const shared = CGROUP_LIMITS.find((name) => limits?.[name] !== undefined);
  if (shared === undefined) return;
  const path = `limits.${shared}`;
  throw new SandboxError("CONFIG_INVALID", `${path}: the commands of a session share it`, {
    path,
    hint: "Set it in the config of the session, or run the command in a sandbox of its own.",
  });
}
