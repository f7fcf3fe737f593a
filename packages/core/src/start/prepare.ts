import type { Backend, Host, Missing } from "../backend/backend.js";
import { backendNamed } from "../backend/discovery.js";
import type { Plan, ToolPlan } from "../backend/plan.js";
import type { ResolvedConfig } from "../backend/resolved-config.js";
import type { Capability, Need } from "../capability/capability.js";
import type { Delegation } from "../cgroup/delegation.js";
import { CGROUP_LIMITS, isCgroupCapability } from "../cgroup/setting.js";
import { parseConfig } from "../config/parse.js";
import type { Config, ConfigInput } from "../config/types.js";
import { assertNotAborted, orAborted } from "../host/abort.js";
import { realHost } from "../host/host.js";
import { assertBelowHard } from "../host/rlimit.js";
import { withNotes } from "../paths/aliases.js";
import { type MaskType, maskHost } from "../paths/mask.js";
import { refuseMovable } from "../paths/movable.js";
import { resolvePaths } from "../paths/resolve-paths.js";
import { chooseBackend, type Probed, probeBackend, strongestBackend } from "../resolve/choose.js";
import { needs } from "../resolve/needs.js";
import { lackOf, resolve } from "../resolve/resolve.js";
import { SandboxError } from "../result/error.js";
import { LOOKED_AT } from "../verify/masks.js";
import { assertMechanisms, checkedPlan } from "./checked-plan.js";
import type { Prepared } from "./prepared.js";
import { withProfile } from "./profile.js";
import { checkedSandboxOptions, type SandboxOptions, UNTRIED } from "./sandbox-options.js";
import { loadStarter } from "./start.js";

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
  const { signal } = checkedSandboxOptions(options);
  assertNotAborted(signal);
  return orAborted(signal, prepareUntil(signal, input, options));
}

async function prepareUntil(
  signal: AbortSignal | undefined,
  input: ConfigInput,
  options: SandboxOptions,
): Promise<Ready> {
  const parsed = parseConfig(input);
  const { prefer = [] } = options;
  const host = realHost();
  const asked = realHost(signal);
  const cgroups = await cgroupsFor(parsed, options.cgroup);
  const { backend, probe } = await pick(parsed, options, asked, cgroups?.missing);
  assertNotAborted(signal);
  if (backend.isEngine === true) refuseCgroup(options.cgroup, backend.name);
  const { config, needs: met, dropped } = resolve(parsed, backend, probe, prefer);
  if (backend.isEngine !== true) assertBelowHard(config.limits);
  const lacks = (capability: Capability): boolean =>
    lackOf(capability, backend, probe) !== undefined;
  const plain = resolvePaths(config, host, !lacks("mount.create"));
  const hasGroup = wantsGroup(config.limits, options.cgroup) && backend.isEngine !== true;
  const resolved = await withProfile(maskHost(plain, maskType(lacks)), config);
  refuseMovable(resolved);
  const plan = withCore(checkedPlan({ backend, probe }, resolved, host), met, cgroups);
  assertMechanisms(backend.name, plan, met);
  await loadStarter(plan.kind, UNTRIED in options);
  const forTool = plan.kind === "tool" ? await toolOf(plan, resolved, asked) : NO_TOOL;
  assertNotAborted(signal);
  const closedOnExec = new Set<number>();
  return {
    config,
    prepared: {
      plan,
      ...forTool,
      config: resolved,
      needs: withNotes(met, resolved),
      dropped,
      backend: backend.name,
      host,
      closedOnExec,
      hasGroup: hasGroup && cgroups !== undefined,
      verification: { when: options.verify ?? "once", hasPassed: false },
      openGroup: (isSession) => (hasGroup ? cgroups?.open(resolved.limits, isSession) : undefined),
    },
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

const NO_TOOL = { tool: undefined, clonedFds: new Map<number, number>() };

/** What is executed for a plan of a tool. @throws SandboxError for a limit that cannot be set. */
async function toolOf(
  plan: ToolPlan,
  { limits }: ResolvedConfig,
  host: Host,
): Promise<Pick<Prepared, "tool" | "clonedFds">> {
  const { tryLimits } = await import("./tool/prlimit.js");
  const { clonedFds, withClone } = await import("./tool/clone.js");
  if (plan.setsLimits !== true) await tryLimits(limits, host);
  return { tool: await withClone(plan), clonedFds: await clonedFds(plan) };
}

/** Without a mount namespace it would lie over the host's own files, for every process. */
function maskType(lacks: (capability: Capability) => boolean): MaskType | undefined {
  if (lacks("isolate.mount")) return undefined;
  if (!lacks("hidden")) return "mask";
  return lacks("mount.tmpfs") ? undefined : "tmpfs";
}

/** Nobody looks at cgroups for a config that has no use for them. */
async function cgroupsFor(
  config: Config,
  directory: string | undefined,
): Promise<Delegation | undefined> {
  const wanted = needs(config).some(({ capability }) => isCgroupCapability(capability));
  if (!wanted && directory === undefined) return undefined;
  const { probeCgroups } = await import("../cgroup/delegation.js");
  const cgroups = probeCgroups(directory);
  if (directory === undefined || cgroups.unusable === undefined) return cgroups;
  throw new SandboxError("PATH_INVALID", `cgroup: ${cgroups.unusable}`, { path: "cgroup" });
}

async function pick(
  config: Config,
  options: SandboxOptions,
  host: Host,
  lacking: readonly Missing[] = [],
): Promise<Probed> {
  const { backend, prefer = [] } = options;
  const isUntried = UNTRIED in options;
  if (backend === undefined) return chooseBackend(config, prefer, host, lacking, isUntried);
  const named = typeof backend === "string" ? await backendNamed(backend) : backend;
  return probeBackend(named, host, lacking, isUntried);
}

function refuseCgroup(directory: string | undefined, backend: string): void {
  if (directory === undefined) return;
  const message = `cgroup: what the backend ${backend} starts is no process of this host`;
  throw new SandboxError("CONFIG_INVALID", message, {
    path: "cgroup",
    backend,
    hint: "Leave it out, or use another backend.",
  });
}

function wantsGroup(limits: Config["limits"], directory: string | undefined): boolean {
  return directory !== undefined || CGROUP_LIMITS.some((name) => limits[name] !== undefined);
}

/** Adds what core does itself to what the backend does. */
function withCore(plan: Plan, met: readonly Need[], cgroups: Delegation | undefined): Plan {
  const mechanisms: Record<string, string> = {
    ...plan.mechanisms,
    "limit.wallTime": "a timer of this process, then everything that it started is killed",
  };
  const { hidden } = plan.mechanisms;
  if (hidden !== undefined) mechanisms["hidden"] = `${hidden}; ${LOOKED_AT}`;
  for (const { capability } of met) {
    const mechanism = cgroups?.mechanisms[capability];
    if (mechanism !== undefined) mechanisms[capability] = mechanism;
  }
  return { ...plan, mechanisms };
}

/**
 * The strongest installed backend that can run on this host: the Python library's `executor_for_platform`.
 * `SANDBOXLIB_BACKEND` overrides the choice.
 *
 * @throws SandboxError `BACKEND_NOT_FOUND`, `BACKEND_UNAVAILABLE`, `BACKEND_INVALID`
 */
export async function backendForPlatform(): Promise<Backend> {
  const { backend } = await strongestBackend(realHost());
  return backend;
}
