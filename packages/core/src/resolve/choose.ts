import {
  type Backend,
  capabilitiesOf,
  type Host,
  type Missing,
  type Probe,
} from "../backend/backend.js";
import {
  backendNamed,
  type InstalledBackend,
  installedBackends,
  loadBackend,
} from "../backend/discovery.js";
import { basesOf, isCapability } from "../capability/capability.js";
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
  return strongestBackend(host, lacking, ({ backend, probe }) =>
    canHonour(config, backend, probe, prefer),
  );
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
 * The installed backend that enforces most here of those that can run and that are wanted; where none is wanted, the one
 * that enforces most of all. A backend is asked only when it may enforce more than those that have answered.
 *
 * @throws SandboxError `BACKEND_NOT_FOUND`, `BACKEND_UNAVAILABLE`, `BACKEND_INVALID`
 */
export async function strongestBackend(
  host: Host,
  lacking: readonly Missing[] = [],
  isWanted: (probed: Probed) => boolean = () => true,
): Promise<Probed> {
  const named = process.env["SANDBOXLIB_BACKEND"];
  if (named !== undefined && named !== "")
    return probeBackend(await backendNamed(named), host, lacking);
  const failures = new Map<string, unknown>();
  let strongest: Ranked | undefined;
  let wanted: Ranked | undefined;
  for (const [installed, most] of await byMostStrength(candidates(host), failures)) {
    const { name } = installed;
    if (wanted !== undefined && isBefore(wanted, { name, strength: most })) break;
    try {
      const probed = await probeBackend(await loadBackend(installed), host, lacking);
      const ranked = { probed, name, strength: strengthOf(probed) };
      strongest = before(strongest, ranked);
      if (isWanted(probed)) wanted = before(wanted, ranked);
    } catch (error) {
      failures.set(name, error);
    }
  }
  const found = wanted ?? strongest;
  if (found === undefined) throw unavailable(failures);
  return found.probed;
}

interface Rank {
  readonly name: string;
  readonly strength: number;
}

interface Ranked extends Rank {
  readonly probed: Probed;
}

function before(one: Ranked | undefined, other: Ranked): Ranked {
  return one !== undefined && isBefore(one, other) ? one : other;
}

function isBefore(one: Rank, other: Rank): boolean {
  if (one.strength !== other.strength) return one.strength > other.strength;
  return one.name.localeCompare(other.name) < 0;
}

function candidates({ platform }: Host): InstalledBackend[] {
  const installed = installedBackends().filter(({ platforms }) => platforms.includes(platform));
  if (installed.length > 0) return installed;
  throw new SandboxError("BACKEND_NOT_FOUND", `no backend for ${platform} is installed`, {
    hint: "Install one beside the library, such as @sandboxlib/backend-namespaces, or name its directory in SANDBOXLIB_BACKEND_PATH.",
  });
}

/** Backends with the most that each can enforce. One whose package does not say what it declares has to be loaded for it. */
async function byMostStrength(
  backends: readonly InstalledBackend[],
  failures: Map<string, unknown>,
): Promise<[InstalledBackend, number][]> {
  const ranked: [InstalledBackend, number][] = [];
  for (const installed of backends) {
    try {
      const listed = installed.capabilities?.filter(isCapability);
      const backend = listed ? { capabilities: new Set(listed) } : await loadBackend(installed);
      ranked.push([installed, capabilitiesOf(backend).size]);
    } catch (error) {
      failures.set(installed.name, error);
    }
  }
  return ranked.sort(([one, a], [other, b]) =>
    isBefore({ name: one.name, strength: a }, { name: other.name, strength: b }) ? -1 : 1,
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

function strengthOf({ backend, probe }: Probed): number {
  return capabilitiesOf(backend).size - (probe.missing?.length ?? 0);
}

function unavailable(failures: ReadonlyMap<string, unknown>): SandboxError {
  const reasons = [...failures].sort(([a], [b]) => a.localeCompare(b)).map(([, reason]) => reason);
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
