import {
  guest,
  type Host,
  OWN_DIRECTORY,
  OWN_NAME,
  type ResolvedConfig,
  type ToolPlan,
} from "@sandboxlib/core/backend";
import { bundle, FD, FDS } from "./bundle.js";
import { mechanisms } from "./mechanisms.js";
import { interpret } from "./report.js";
import { type Runtime, runtimeWords } from "./runtime.js";

/** The client goes on as long as the container: it is the tool, and the init inside reports. */
export function plan(config: ResolvedConfig, host: Host, runtime: Runtime = UNKNOWN): ToolPlan {
  const { seccomp } = config;
  const state = `${OWN_DIRECTORY}/state`;
  const container = `${state}/${OWN_NAME}`;
  const run = ["run", "--preserve-fds", String(FDS), "--bundle", OWN_DIRECTORY, OWN_NAME];
  const remove = runtimeWords(runtime, config, ["--root", state, "delete", "--force", OWN_NAME]);
  return {
    kind: "tool",
    argv: runtimeWords(runtime, config, ["--root", state, ...run]),
    env: {},
    fds: {
      [FD.report]: "report",
      [FD.lifeline]: "lifeline",
      [FD.variables]: { data: guest.variables(config.env), isForProgram: true },
      // What may deny what the init needs is in the bundle, for the program alone.
      [FD.filter]: seccomp === "default" || seccomp === "build" ? { filter: seccomp } : "filter",
    },
    ownDirectory: bundle(config, host, runtime),
    end: [host.which("sh") ?? "/bin/sh", "-c", END, "sh", container, ...remove, "delete"],
    endWhile: container,
    setsLimits: true,
    closesFds: true,
    signals: "child of supervisor",
    mechanisms,
    readReport: guest.readReport,
    interpret,
  };
}

/** Core gives the plan what the probe has found. */
const UNKNOWN: Runtime = { program: "/usr/bin/crun", options: [], isRootless: true };

/**
 * A client that ends by itself removes the container. One that was killed leaves it, and where it had not written yet what
 * it is (`state.json`, `status`), what it had started ends with it.
 */
const END = `directory=$1
shift
"$@" || [ ! -e "$directory" ] || { [ ! -s "$directory/state.json" ] && [ ! -s "$directory/status" ]; }`;
