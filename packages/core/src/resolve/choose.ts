import {
  type Backend,
  capabilitiesOf,
  type Host,
  type Missing,
  type Probe,
} from "../backend/backend.js";
import { backendNamed, loadBackend } from "../backend/discovery.js";
import {
  type InstalledBackend,
  installedBackends,
  isForMachine,
  misfitOf,
} from "../backend/installed.js";
import { isCapability } from "../capability/capability.js";
import { byName } from "../config/text.js";
import type { Config } from "../config/types.js";
import { isSandboxError, SandboxError } from "../result/error.js";
import { probeOn } from "./probe.js";
import { type Prefer, resolve } from "./resolve.js";

/** A backend and what it found on this host. */
export interface Probed {
  readonly backend: Backend;
  readonly probe: Extract<Probe, { available: true }>;
}

/**
 * The strongest backend that can honour the config; `SANDBOXLIB_BACKEND` overrides the choice.
 *
 * @param lacking - As {@link probeOn} has it, and `isUntried`, too.
 */
export async function chooseBackend(
  config: Config,
  prefer: Prefer,
  host: Host,
  lacking: readonly Missing[],
  isUntried: boolean,
): Promise<Probed> {
  const isWanted = ({ backend, probe }: Probed): boolean =>
    canHonour(config, backend, probe, prefer);
  return strongestBackend(host, lacking, isWanted, isUntried);
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
  isUntried = false,
): Promise<Probed> {
  const probe = await probeOn(backend, host, lacking, isUntried);
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
 * The installed backend that enforces most here of those that can run and that are wanted; where none is wanted, the one
 * that enforces most of all. A backend is asked only when it may enforce more than those that have answered.
 *
 * @throws SandboxError `BACKEND_NOT_FOUND`, `BACKEND_UNAVAILABLE`, `BACKEND_INVALID`
 */
export async function strongestBackend(
  host: Host,
  lacking: readonly Missing[] = [],
  isWanted: (probed: Probed) => boolean = () => true,
  isUntried = false,
): Promise<Probed> {
  const named = process.env["SANDBOXLIB_BACKEND"];
  if (named !== undefined && named !== "")
    return probeBackend(await backendNamed(named), host, lacking, isUntried);
  const failures = new Map<string, unknown>();
  let strongest: Ranked | undefined;
  let wanted: Ranked | undefined;
  for (const [installed, most] of await byMostStrength(candidates(host), failures)) {
    const { name } = installed;
    if (wanted !== undefined && isBefore(wanted, { name, strength: most })) break;
    try {
      const probed = await probeBackend(await loadBackend(installed), host, lacking, isUntried);
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
  return byName(one.name, other.name) < 0;
}

function candidates({ platform }: Host): InstalledBackend[] {
  const all = installedBackends();
  const fitting = all.filter((each) => isForMachine(each, platform));
  if (fitting.length > 0) return fitting;
  const others = all.map((each) => `the backend ${each.name} ${misfitOf(each, platform)}`);
  const message = [`no backend for ${platform} is installed`, ...others].join("; ");
  throw new SandboxError("BACKEND_NOT_FOUND", message, {
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
  const reasons = [...failures].sort(([a], [b]) => byName(a, b)).map(([, reason]) => reason);
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
