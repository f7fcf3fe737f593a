import { parseConfig } from "./config/parse.js";
import type { Config, ConfigInput } from "./config/schema.js";
import { chooseBackend, type Probed, probeBackend } from "./discover/choose.js";
import { backendNamed } from "./discover/load.js";
import { assertBelowHard } from "./launch/limit-failure.js";
import type { Prepared } from "./launch/prepared.js";
import { tryLimits } from "./launch/prlimit.js";
import { isLauncherPlan } from "./launch/start.js";
import type { Capability } from "./needs/capability.js";
import type { Backend } from "./plan/backend.js";
import type { Plan, Refusal } from "./plan/plan.js";
import { realHost } from "./resolve/host.js";
import { lackOf, type Prefer, resolve } from "./resolve/resolve.js";
import { settle } from "./resolve/settle.js";
import { SandboxError } from "./result/error.js";

/** How a sandbox is made. */
export interface SandboxOptions {
  /** A backend, or the name of an installed one. Default: the strongest installed one that can honour the config. */
  readonly backend?: Backend | string | undefined;
  /** The needs that may be let go where the backend cannot meet them. Default: none. */
  readonly prefer?: Prefer | undefined;
}

/** A config on its way to a run: everything that is decided once. */
export interface Ready {
  readonly config: Config;
  readonly prepared: Prepared;
  /** @throws SandboxError `CAPABILITY_UNSUPPORTED` when the backend lacks what a call, not the config, asks for. */
  readonly insist: (capability: Capability, call: string) => void;
}

/**
 * Parses a config, probes the backend, resolves the one against the other and plans the run.
 *
 * @throws SandboxError `CONFIG_INVALID`, `PATH_INVALID`, `CAPABILITY_UNSUPPORTED`, `BACKEND_NOT_FOUND`,
 * `BACKEND_INVALID`, `BACKEND_UNAVAILABLE`, `LAUNCH_FAILED` for a limit that cannot be set
 */
export async function prepare(input: ConfigInput, options: SandboxOptions): Promise<Ready> {
  const parsed = parseConfig(input);
  const { prefer = [] } = options;
  const host = realHost();
  const { backend, probe } = await pick(parsed, options.backend, prefer);
  const { config, needs, dropped } = resolve(parsed, backend, probe, prefer);
  assertBelowHard(config.limits);
  const settled = settle(config, host, lackOf("mount.create", backend, probe) === undefined);
  const plan = planned(backend.plan(settled, host), backend.name);
  if (!isLauncherPlan(plan)) await tryLimits(settled.limits, host);
  const closedOnExec = new Set<number>();
  return {
    config,
    prepared: { plan, config: settled, needs, dropped, backend: backend.name, host, closedOnExec },
    insist: (capability, call) => {
      const lack = lackOf(capability, backend, probe);
      if (lack === undefined) return;
      throw new SandboxError(
        "CAPABILITY_UNSUPPORTED",
        `${call}: needs ${capability}, and ${lack.reason}`,
        {
          backend: backend.name,
          hint: `${lack.remedy ?? ""} Use a backend that has it, such as namespaces.`.trim(),
        },
      );
    },
  };
}

async function pick(
  config: Config,
  backend: Backend | string | undefined,
  prefer: Prefer,
): Promise<Probed> {
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
