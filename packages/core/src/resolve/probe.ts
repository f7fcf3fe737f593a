import type { Backend, Host, Missing, Probe } from "../backend/backend.js";
import { answerOf, broken, thrownBy } from "../backend/broken.js";
import { basesOf } from "../capability/capability.js";

/** Milliseconds that a probe may take. What it asks of the host has ten seconds each. */
const PROBE_LIMIT = 30_000;

/**
 * What a backend finds on a host.
 *
 * @param lacking - What core itself could not give here, whatever the backend: see `probeCgroups`.
 * @param isUntried - Whether what a run would find out for itself is presumed.
 * @throws SandboxError `BACKEND_INVALID` for a probe that fails, takes longer than 30 seconds or answers with no Probe.
 */
export async function probeOn(
  backend: Pick<Backend, "name" | "probe" | "presume" | "capabilities" | "isEngine">,
  host: Host,
  lacking: readonly Missing[] = [],
  isUntried = false,
): Promise<Probe> {
  const { name } = backend;
  const presumed = isUntried
    ? answerOf(name, "its presumption", () => backend.presume?.(host))
    : undefined;
  const answered = presumed ?? (await answer(backend, host));
  const probe = withDerived(backend, checkedProbe(name, answered));
  if (!probe.available || backend.isEngine === true) return probe;
  const own = probe.missing ?? [];
  const known = new Set(own.map(({ capability }) => capability));
  const more = lacking.filter(({ capability }) => !known.has(capability));
  return more.length === 0 ? probe : { ...probe, missing: [...own, ...more] };
}

async function answer(backend: Pick<Backend, "name" | "probe">, host: Host): Promise<Probe> {
  const { name } = backend;
  let timer: NodeJS.Timeout | undefined;
  // This process waits for the timer where it has nothing else to wait for.
  const late = new Promise<never>((_, reject) => {
    const seconds = PROBE_LIMIT / 1000;
    const fail = (): void => reject(broken(name, `its probe has not answered for ${seconds} s`));
    timer = setTimeout(fail, PROBE_LIMIT);
  });
  try {
    return await Promise.race([backend.probe(host), late]);
  } catch (error) {
    throw thrownBy(name, "its probe", error);
  } finally {
    clearTimeout(timer);
  }
}

function checkedProbe(backend: string, probe: Probe): Probe {
  const fault = faultOf(probe);
  if (fault === undefined) return probe;
  throw broken(backend, `its probe answered ${fault}`);
}

/** What is wrong with the answer of a probe, if something is. */
function faultOf(probe: Partial<Record<string, unknown>> | null): string | undefined {
  if (typeof probe !== "object" || probe === null) return `${String(probe)}, which is no object`;
  const { available, reason, remedy, missing = [], notes = [] } = probe;
  if (available === false)
    return isText(reason) && isText(remedy) ? undefined : "false without a reason and a remedy";
  if (available !== true) return `with \`available\` ${String(available)}`;
  if (!Array.isArray(missing) || !missing.every(isMissing))
    return "with a `missing` that is no list of capabilities and reasons";
  return Array.isArray(notes) && notes.every(isText)
    ? undefined
    : "with `notes` that are no list of texts";
}

function isMissing(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { capability, reason, remedy = "" } = value as Partial<Record<keyof Missing, unknown>>;
  return isText(capability) && isText(reason) && isText(remedy);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
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
