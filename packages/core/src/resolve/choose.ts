import {
  type Backend,
  capabilitiesOf,
  type Host,
  type Missing,
  type Probe,
} from "../backend/backend.js";
import { backendNamed, installedBackends, loadBackend } from "../backend/discovery.js";
import { basesOf } from "../capability/capability.js";
import type { Config } from "../config/types.js";
import { isSandboxError, SandboxError } from "../result/error.js";
import { type Prefer, resolve } from "./resolve.js";

/** A backend and what it found on this host. */
export interface Probed {
  readonly backend: Backend;
  readonly probe: Extract<Probe, { available: true }>;
}

/**
 * The strongest backend that can honour the config; `SANDBOXLIB_BACKEND` overrides the choice.
 *
 * @param lacking - As {@link probeOn} has it.
 */
export async function chooseBackend(
  config: Config,
  prefer: Prefer,
  host: Host,
  lacking: readonly Missing[],
): Promise<Probed> {
  const probed = await availableBackends(host, lacking);
  const able = probed.find(({ backend, probe }) => canHonour(config, backend, probe, prefer));
  return able ?? probed[0];
}

/**
 * Asks a backend whether it can run here.
 *
 * @throws SandboxError `BACKEND_UNAVAILABLE`, with the remedy as hint.
 */
export async function probeBackend(
  backend: Backend,
  host: Host,
  lacking: readonly Missing[],
): Promise<Probed> {
  const probe = await probeOn(backend, host, lacking);
  if (probe.available) return { backend, probe };
  throw new SandboxError(
    "BACKEND_UNAVAILABLE",
    `the backend ${backend.name} cannot run here: ${probe.reason}`,
    {
      backend: backend.name,
      hint: probe.remedy,
    },
  );
}

/**
 * What a backend finds on a host.
 *
 * @param lacking - What core itself could not give here, whatever the backend: see `probeCgroups`.
 */
export async function probeOn(
  backend: Pick<Backend, "probe" | "capabilities" | "isEngine">,
  host: Host,
  lacking: readonly Missing[] = [],
): Promise<Probe> {
  const probe = withDerived(backend, await backend.probe(host));
  if (!probe.available || backend.isEngine === true) return probe;
  const own = probe.missing ?? [];
  const known = new Set(own.map(({ capability }) => capability));
  const more = lacking.filter(({ capability }) => !known.has(capability));
  return more.length === 0 ? probe : { ...probe, missing: [...own, ...more] };
}

/** Adds to what is missing here what builds on it. */
function withDerived({ capabilities }: Pick<Backend, "capabilities">, probe: Probe): Probe {
  if (!probe.available || probe.missing === undefined) return probe;
  const missing = new Map(probe.missing.map((each) => [each.capability, each]));
  for (const capability of capabilities) {
    const base = basesOf(capability).find((each) => missing.has(each));
    const lack = base && missing.get(base);
    if (lack !== undefined && !missing.has(capability))
      missing.set(capability, { ...lack, capability });
  }
  return { ...probe, missing: [...missing.values()] };
}

/**
 * The installed backends that can run here, the one that enforces most first.
 *
 * @throws SandboxError `BACKEND_NOT_FOUND`, `BACKEND_UNAVAILABLE`, `BACKEND_INVALID`
 */
export async function availableBackends(
  host: Host,
  lacking: readonly Missing[] = [],
): Promise<[Probed, ...Probed[]]> {
  const named = process.env["SANDBOXLIB_BACKEND"];
  if (named !== undefined && named !== "")
    return [await probeBackend(await backendNamed(named), host, lacking)];
  const installed = installedBackends().filter(({ platforms }) =>
    platforms.includes(host.platform),
  );
  if (installed.length === 0) {
    throw new SandboxError("BACKEND_NOT_FOUND", `no backend for ${host.platform} is installed`, {
      hint: "Install one beside the library, such as @sandboxlib/backend-namespaces, or name its directory in SANDBOXLIB_BACKEND_PATH.",
    });
  }
  const outcomes = await Promise.allSettled(
    installed.map(async (backend) => probeBackend(await loadBackend(backend), host, lacking)),
  );
  const probed = outcomes.flatMap((result) =>
    result.status === "fulfilled" ? [result.value] : [],
  );
  const [strongest, ...weaker] = probed.sort((a, b) => strength(b) - strength(a));
  if (strongest !== undefined) return [strongest, ...weaker];
  throw unavailable(
    outcomes.flatMap((result) => (result.status === "rejected" ? [result.reason] : [])),
  );
}

function canHonour(
  config: Config,
  backend: Backend,
  probe: Probed["probe"],
  prefer: Prefer,
): boolean {
  try {
    resolve(config, backend, probe, prefer);
    return true;
  } catch (error) {
    if (isSandboxError(error)) return false;
    throw error;
  }
}

function strength({ backend, probe }: Probed): number {
  return capabilitiesOf(backend).size - (probe.missing?.length ?? 0);
}

function unavailable(reasons: readonly unknown[]): SandboxError {
  const messages = reasons.map((reason) =>
    reason instanceof Error ? reason.message : String(reason),
  );
  const hints = reasons.flatMap((reason) =>
    isSandboxError(reason) && reason.hint !== undefined ? [reason.hint] : [],
  );
  return new SandboxError(
    "BACKEND_UNAVAILABLE",
    `no installed backend can run here: ${messages.join("; ")}`,
    {
      hint: hints.join(" Or: "),
    },
  );
}
