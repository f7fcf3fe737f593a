import { parseConfig } from "./config/parse.js";
import type { Config, ConfigInput } from "./config/schema.js";
import { noNul } from "./config/text.js";
import { chooseBackend, probeBackend } from "./discover/choose.js";
import { backendNamed } from "./discover/load.js";
import { type RunOptions, type SandboxChild, startChild } from "./launch/child.js";
import type { Need } from "./needs/capability.js";
import type { Backend } from "./plan/backend.js";
import type { Plan, Refusal } from "./plan/plan.js";
import { realHost } from "./resolve/host.js";
import { type Prefer, resolve } from "./resolve/resolve.js";
import { settle } from "./resolve/settle.js";
import { SandboxError } from "./result/error.js";
import type { Dropped, SandboxResult } from "./result/result.js";

/** How a sandbox is made. */
export interface SandboxOptions {
  /** A backend, or the name of an installed one. Default: the strongest installed one that can honour the config. */
  readonly backend?: Backend | string | undefined;
  /** The needs that may be let go where the backend cannot meet them. Default: none. */
  readonly prefer?: Prefer | undefined;
}

/** A config that has been checked, resolved and planned, ready to run commands; each run is a fresh sandbox. */
export interface Sandbox {
  /** The name of the backend. */
  readonly backend: string;
  readonly config: Config;
  readonly needs: readonly Need[];
  readonly dropped: readonly Dropped[];
  readonly plan: Plan;
  /** Runs a command to its end and captures its output. Default: the config's own `command`. */
  run(argv?: readonly string[], options?: RunOptions): Promise<SandboxResult>;
  /**
   * Starts a command; its standard streams are pipes unless the options say otherwise. Read them before you await the
   * result: Node throws away what nobody was reading when a program ended.
   */
  spawn(argv?: readonly string[], options?: RunOptions): SandboxChild;
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
  const parsed = parseConfig(input);
  const { prefer = [] } = options;
  const host = realHost();
  const { backend, probe } = await pick(parsed, options.backend, prefer);
  const { config, needs, dropped } = resolve(parsed, backend, probe, prefer);
  const settled = settle(config, host);
  const plan = planned(backend.plan(settled, host), backend.name);
  const prepared = {
    plan,
    config: settled,
    needs,
    dropped,
    backend: backend.name,
    host,
    closedOnExec: new Set<number>(),
  };
  const start = (
    argv: readonly string[] | undefined,
    defaults: RunOptions,
    given: RunOptions = {},
  ): SandboxChild =>
    startChild(prepared, commandOf(argv ?? config.command), checked({ ...defaults, ...given }));
  return {
    backend: backend.name,
    config,
    needs,
    dropped,
    plan,
    async run(argv, given = {}) {
      refusePipes(given);
      return start(argv, {}, given).result;
    },
    spawn: (argv, given) => start(argv, { stdin: "pipe", stdout: "pipe", stderr: "pipe" }, given),
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
  const { backend, prefer, ...runOptions } = options;
  const sandbox = await createSandbox(config, { backend, prefer });
  return sandbox.run(undefined, runOptions);
}

async function pick(
  config: Config,
  backend: Backend | string | undefined,
  prefer: Prefer,
): ReturnType<typeof probeBackend> {
  if (backend === undefined) return chooseBackend(config, prefer, realHost());
  return probeBackend(
    typeof backend === "string" ? await backendNamed(backend) : backend,
    realHost(),
  );
}

function planned(plan: Plan | Refusal, backend: string): Plan {
  if (!("refusal" in plan)) return plan;
  const { path, reason, hint } = plan.refusal;
  throw new SandboxError("CAPABILITY_UNSUPPORTED", `${path}: ${reason}`, { path, backend, hint });
}

/** Nobody could read or write it: the program would wait for ever. */
function refusePipes(options: RunOptions): void {
  const stream = (["stdin", "stdout", "stderr"] as const).find((name) => options[name] === "pipe");
  if (stream === undefined) return;
  throw new SandboxError("CONFIG_INVALID", `${stream}: a run has no stream to give for "pipe"`, {
    path: stream,
    hint: "Use spawn, which returns the streams, or capture the output.",
  });
}

function commandOf(argv: readonly string[] | undefined): readonly string[] {
  if (argv === undefined || argv.length === 0) {
    throw new SandboxError("CONFIG_INVALID", "command: there is none to run", {
      path: "command",
      hint: "Set `command` in the config, or give the run its own.",
    });
  }
  for (const [index, word] of (argv as readonly unknown[]).entries()) {
    const broken = typeof word === "string" ? noNul(word) : "must be a string";
    if (broken === undefined) continue;
    const path = `command[${index}]`;
    throw new SandboxError("CONFIG_INVALID", `${path}: ${JSON.stringify(word)} ${broken}`, {
      path,
    });
  }
  return argv;
}

function checked(options: RunOptions): RunOptions {
  const { maxOutput = 0 } = options;
  if (Number.isSafeInteger(maxOutput) && maxOutput >= 0) return options;
  const message = `maxOutput: ${String(maxOutput)} is not a number of bytes`;
  throw new SandboxError("CONFIG_INVALID", message, { path: "maxOutput" });
}
