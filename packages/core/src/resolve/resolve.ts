import { type Backend, hasCapability, type Probe } from "../backend/backend.js";
import { basesOf, CAPABILITIES, type Capability, type Need } from "../capability/capability.js";
import { parseConfig } from "../config/parse.js";
import {
  type Config,
  type ConfigInput,
  limitsWithout,
  NAMESPACES,
  type Namespace,
} from "../config/types.js";
import { SandboxError } from "../result/error.js";
import type { Dropped } from "../result/result.js";
import { needs } from "./needs.js";

/** The needs that may be let go: a list of capabilities, or `"all"` that are droppable. */
export type Prefer = readonly Capability[] | "all";

/** A config that the backend can honour, and what it took to get there. */
export interface Resolved {
  readonly config: Config;
  readonly needs: readonly Need[];
  readonly dropped: readonly Dropped[];
}

/**
 * Compares what a config asks for with what a backend enforces on this host.
 *
 * @throws SandboxError `CAPABILITY_UNSUPPORTED`, naming every need that is not met and was not let go.
 */
export function resolve(
  config: Config,
  backend: Pick<Backend, "name" | "capabilities" | "isEngine">,
  probe: Extract<Probe, { available: true }>,
  prefer: Prefer = [],
): Resolved {
  const met: Need[] = [];
  const dropped: Dropped[] = [];
  const unmet: Unmet[] = [];
  const asked = withProfile(config, lackOf("seccomp", backend, probe) === undefined);
  for (const need of needs(asked)) {
    const lack = lackOf(need.capability, backend, probe) ?? lackOfBase(need, dropped);
    if (lack === undefined) met.push(need);
    else if (mayDrop(need.capability, prefer)) dropped.push({ ...need, reason: lack.reason });
    else unmet.push({ ...need, lack });
  }
  const [first, ...others] = unmet;
  if (first !== undefined) throw unsupported(first, others, backend.name);
  return { config: narrow(asked, dropped), needs: met, dropped };
}

/** Nobody has to ask for the default profile of system calls, and nobody can who has said `none`. */
function withProfile(config: Config, isEnforced: boolean): Config {
  return isEnforced && config.seccomp === undefined ? { ...config, seccomp: "default" } : config;
}

/** What is missing, and what may be done about it. */
export interface Lack {
  readonly reason: string;
  readonly remedy?: string;
}

/** Why a backend cannot enforce a capability on this host; undefined when it can. */
export function lackOf(
  capability: Capability,
  backend: Pick<Backend, "name" | "capabilities" | "isEngine">,
  probe: Extract<Probe, { available: true }>,
): Lack | undefined {
  if (!hasCapability(backend, capability))
    return { reason: `the backend ${backend.name} does not enforce it` };
  return probe.missing?.find((missing) => missing.capability === capability);
}

/** Why a capability is gone with the one that it builds on, which was let go. */
function lackOfBase({ capability }: Need, dropped: readonly Need[]): Lack | undefined {
  const base = basesOf(capability).find((each) => dropped.some((need) => need.capability === each));
  return base === undefined ? undefined : { reason: `it takes ${base}, which is let go` };
}

function mayDrop(capability: Capability, prefer: Prefer): boolean {
  return CAPABILITIES[capability].droppable && (prefer === "all" || prefer.includes(capability));
}

/** A need, and why it is not met. */
interface Unmet extends Need {
  readonly lack: Lack;
}

function unsupported(first: Unmet, others: readonly Unmet[], backend: string): SandboxError {
  const all = [first, ...others];
  const remedies = new Set(all.flatMap(({ lack }) => lack.remedy ?? []));
  return new SandboxError(
    "CAPABILITY_UNSUPPORTED",
    `${first.path}: needs ${first.capability}, and ${first.lack.reason}${more(first, others)}`,
    {
      path: first.path,
      backend,
      hint: [...remedies, wayOut(all)].join(" "),
    },
  );
}

/** The other needs that are not met, by the fields that ask for them. A reason is not said twice. */
function more(first: Unmet, others: readonly Unmet[]): string {
  if (others.length === 0) return "";
  const fields = new Map<string, string[]>();
  for (const { path, capability, lack } of others) {
    const why = lack.reason === first.lack.reason ? "" : ` (${lack.reason})`;
    fields.set(path, [...(fields.get(path) ?? []), `${capability}${why}`]);
  }
  const listed = [...fields].map(([path, words]) => `${path} needs ${words.join(", ")}`);
  return `. Not met either: ${listed.join("; ")}`;
}

function wayOut(all: readonly Unmet[]): string {
  const it = all.length === 1 ? "it" : "them";
  const fields = [...new Set(all.map(({ path }) => `\`${path}\``))].join(", ");
  const words = [...new Set(all.map(({ capability }) => capability))];
  if (!words.every((word) => CAPABILITIES[word].droppable))
    return `Use a backend that enforces ${it}, or change ${fields}.`;
  const list = words.map((word) => `"${word}"`).join(", ");
  const options = words.map((word) => `--prefer ${word}`).join(" ");
  return `Use a backend that enforces ${it}, change ${fields}, or let ${it} go with prefer: [${list}] (${options}).`;
}

/** Takes the dropped needs out of the config, so that a backend never sees what it cannot honour. */
function narrow(config: Config, dropped: readonly Need[]): Config {
  const gone = new Set(dropped.map(({ capability }) => capability));
  const { hostname, limits, ...rest } = config;
  return {
    ...rest,
    writable: gone.has("writable.paths") ? "all" : config.writable,
    hidden: gone.has("hidden") ? [] : config.hidden,
    mounts: config.mounts
      .filter(({ type }) => !gone.has(`mount.${type}`))
      .map((mount) => narrowMount(mount, gone)),
    network: gone.has("network.none") ? "host" : config.network,
    isolate: config.isolate.filter((namespace: Namespace) => !gone.has(`isolate.${namespace}`)),
    ...(hostname !== undefined && !gone.has("hostname") && { hostname }),
    ...(gone.has("seccomp") && { seccomp: "none" }),
    limits: limitsWithout(limits, (name) => gone.has(`limit.${name === "swap" ? "memory" : name}`)),
  };
}

function narrowMount(
  mount: Config["mounts"][number],
  gone: ReadonlySet<Capability>,
): Config["mounts"][number] {
  if (mount.type === "bind" && gone.has("mount.bind.readOnly"))
    return { ...mount, readOnly: false };
  if (mount.type === "tmpfs" && gone.has("mount.tmpfs.size"))
    return { type: "tmpfs", target: mount.target };
  return mount;
}

const ANYWHERE = { available: true } as const;

/**
 * What is left of a config when everything goes that a backend does not enforce and that may go: the Python library's
 * `degrade_config_for_capabilities`. `createSandbox` does this by itself with `prefer`.
 *
 * @throws SandboxError `CONFIG_INVALID`; `CAPABILITY_UNSUPPORTED` for a need that may not be let go.
 */
export function degradeConfigForCapabilities(
  config: ConfigInput,
  backend: Pick<Backend, "name" | "capabilities" | "isEngine">,
): { readonly config: Config; readonly dropped: readonly Dropped[] } {
  const { config: narrowed, dropped } = resolve(parseConfig(config), backend, ANYWHERE, "all");
  return { config: narrowed, dropped };
}

/** The strictest settings that a backend enforces: the Python library's `maximum_possible_isolation`. */
export function maximumPossibleIsolation(
  backend: Pick<Backend, "name" | "capabilities" | "isEngine">,
): Required<Pick<ConfigInput, "writable" | "network" | "isolate" | "mounts" | "defaultMounts">> {
  const strictest = parseConfig({ writable: [], network: "none", isolate: [...NAMESPACES] });
  const { writable, network, isolate, mounts, defaultMounts } = resolve(
    strictest,
    backend,
    ANYWHERE,
    "all",
  ).config;
  return { writable, network, isolate, mounts, defaultMounts };
}
