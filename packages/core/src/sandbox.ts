import type { Plan } from "./backend/plan.js";
import type { StdioTargets, WindowSize } from "./backend/running.js";
import type { Need } from "./capability/capability.js";
import { checkSignal, refuseUnknown } from "./config/options.js";
import type { Word } from "./config/text.js";
import type { Config, ConfigInput } from "./config/types.js";
import type { Dropped, SandboxResult } from "./result/result.js";
import { begin, beginAsync } from "./run/begin.js";
import {
  checkedOptions,
  commandOf,
  piped,
  RUN_OPTIONS,
  refusePipes,
  windowOf,
} from "./run/check-options.js";
import { type SandboxChild, termsOf } from "./run/child.js";
import type { RunOptions } from "./run/options.js";
import { assertTerminal, forTerminal } from "./run/terminal.js";
import { openSession, type Session, type SessionOptions } from "./session/session.js";
import { encodePlanFile } from "./start/launcher/plan-file.js";
import { prepare } from "./start/prepare.js";
import { SANDBOX_OPTIONS, type SandboxOptions } from "./start/sandbox-options.js";
import { start, startAsync } from "./start/start.js";
import type { Started } from "./start/started.js";

/** A config that has been checked, resolved and planned, ready to run commands; each run is a fresh sandbox. */
export interface Sandbox {
  /** The name of the backend. */
  readonly backend: string;
  readonly config: Config;
  readonly needs: readonly Need[];
  readonly dropped: readonly Dropped[];
  readonly plan: Plan;
  /**
   * Runs a command to its end and captures its output. Default: the config's own `command`.
   *
   * With the backends namespaces and chroot it inherits this process's priority, resource limits, cgroup and processors
   * as they were at the first run: a small process that was started then starts the others. The umask is that of now.
   */
  run(argv?: readonly Word[], options?: RunOptions): Promise<SandboxResult>;
  /**
   * Starts a command; its standard streams are pipes unless the options say otherwise. Read them before you await the
   * result: Node throws away what nobody was reading when a program ended.
   */
  spawn(argv?: readonly Word[], options?: RunOptions): SandboxChild;
  /**
   * Sets up one sandbox for many commands.
   *
   * @throws SandboxError `CAPABILITY_UNSUPPORTED` where the backend has no sessions, and what stops a run.
   */
  openSession(options?: SessionOptions): Promise<Session>;
  /**
   * What the launcher needs to run commands without Node: the bytes of a file for `sandboxlib-launcher run FILE`. The
   * config's own `command` is run where that is given none.
   *
   * @throws SandboxError `CAPABILITY_UNSUPPORTED` for what the launcher alone cannot do.
   */
  planFile(): Uint8Array;
}

/**
 * Parses a config, probes the backend, resolves the one against the other and plans the run: once per sandbox.
 *
 * @throws SandboxError `CONFIG_INVALID`, `PATH_INVALID`, `CAPABILITY_UNSUPPORTED`, `BACKEND_NOT_FOUND`,
 * `BACKEND_INVALID`, `BACKEND_UNAVAILABLE`
 */
export async function createSandbox(
  input: ConfigInput,
  options: SandboxOptions = {},
): Promise<Sandbox> {
  const { config, prepared, insist } = await prepare(input, options);
  const { plan, needs, dropped, backend } = prepared;
  const terms = termsOf(prepared);
  const asked = (given: RunOptions): { options: RunOptions; window: WindowSize | undefined } => {
    const checked = checkedOptions(given);
    const window = windowOf(checked.tty);
    if (window !== undefined) insist("tty", "a terminal");
    const options = forTerminal(checked, window);
    if (window !== undefined) assertTerminal(prepared.config, options);
    return { options, window };
  };
  return {
    backend,
    config,
    needs,
    dropped,
    plan,
    async run(argv, given = {}) {
      const command = commandOf(argv ?? config.command);
      const { options, window } = asked(given);
      refusePipes(options);
      const startOne = (targets: StdioTargets): Promise<Started> =>
        startAsync(prepared, command, targets, window, options.signal);
      return (await beginAsync(prepared, terms, options, startOne)).result;
    },
    spawn(argv, given) {
      const { options, window } = asked(piped(given));
      const command = commandOf(argv ?? config.command);
      return begin(prepared, terms, options, (targets) =>
        start(prepared, command, targets, window),
      );
    },
    async openSession(given: SessionOptions = {}) {
      refuseUnknown(given, { signal: true });
      checkSignal(given.signal);
      insist("session", "openSession");
      return openSession(prepared, config.command, given.signal);
    },
    planFile: () => encodePlanFile(prepared, config.command),
  };
}

/**
 * Makes a sandbox and runs the config's `command` in it, once.
 *
 * @throws SandboxError as {@link createSandbox}, and what stops a run.
 */
export async function run(
  config: ConfigInput,
  options: SandboxOptions & RunOptions = {},
): Promise<SandboxResult> {
  refuseUnknown(options, { ...SANDBOX_OPTIONS, ...RUN_OPTIONS });
  const { backend, prefer, cgroup, verify, ...runOptions } = options;
  const sandbox = await createSandbox(config, { backend, prefer, cgroup, verify });
  return sandbox.run(undefined, runOptions);
}
