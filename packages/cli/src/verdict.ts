import {
  CAPABILITIES,
  type Capability,
  type Limits,
  needs,
  type Prefer,
  parseConfig,
  type Sandbox,
  type SandboxError,
} from "@sandboxlib/core";
import { capabilitiesOf } from "@sandboxlib/core/backend";
import { type CommandLine, valueOf } from "./command-line.js";
import type { WrittenConfig } from "./config-from-options.js";
import { describeError, type ErrorReport } from "./errors.js";
import { type Origins, originOf } from "./origins.js";
import { type Surveyed, survey } from "./survey.js";

/** A need of a config, and whether it is enforced. */
export interface ExplainedNeed {
  readonly capability: Capability;
  readonly meaning: string;
  /** The config field that asks for it. */
  readonly path: string;
  /** The option that set the field; undefined for a default. */
  readonly origin: string | undefined;
  readonly status: "enforced" | "dropped" | "refused";
  /** What enforces it, or why it is not enforced. */
  readonly because: string;
  /** What will really hold, where it is not what was written; what the backend says about other ways to reach what the need protects. */
  readonly notes?: readonly string[];
}

/** What `run` would do. */
export type Verdict =
  | { readonly verdict: "runs"; readonly backend: string; readonly needs: readonly ExplainedNeed[] }
  | {
      readonly verdict: "refused";
      readonly error: ErrorReport;
      /** Each backend that was considered, and what it would enforce. */
      readonly backends: readonly Considered[];
    };

/** A backend that was considered for a config. */
export interface Considered {
  readonly name: string;
  /** Why it cannot run here at all. */
  readonly unavailable: string | undefined;
  readonly needs: readonly ExplainedNeed[];
}

/** The verdict on a sandbox that can be made: what it enforces, and what is dropped. */
export function granted(
  { backend, config, needs: met, dropped, plan }: Sandbox,
  origins: Origins,
): Verdict {
  return {
    verdict: "runs",
    backend,
    needs: [
      ...met.map(({ capability, path, notes = [] }) => {
        const because = plan.mechanisms[capability] ?? backend;
        const all = [...roundings(capability, config.limits), ...notes];
        return {
          ...explained(capability, path, origins, "enforced", because),
          ...(all.length > 0 && { notes: all }),
        };
      }),
      ...dropped.map(({ capability, path, reason }) =>
        explained(capability, path, origins, "dropped", reason),
      ),
      // Nobody has asked for a profile, and where there can be one there is one.
      ...(config.seccomp === undefined
        ? [explained("seccomp", "seccomp", origins, "dropped", `${backend} does not enforce it`)]
        : []),
    ],
  };
}

/** What the kernel makes of a limit that it cannot hold as it is written. */
function roundings(capability: Capability, { cpuTime, memory, swap }: Limits): string[] {
  if (capability === "limit.cpuTime" && cpuTime !== undefined && !Number.isInteger(cpuTime)) {
    const whole = Math.ceil(cpuTime);
    return [`${cpuTime} s are rounded up: ${whole} s hold, since the kernel counts whole seconds`];
  }
  if (capability !== "limit.memory") return [];
  return Object.entries({ memory, swap }).flatMap(([name, bytes = 0]) =>
    bytes % LARGEST_PAGE === 0
      ? []
      : [`limits.${name}: ${bytes} bytes are rounded down to whole pages of memory`],
  );
}

/** The size of pages that no kernel's exceeds, in bytes. */
const LARGEST_PAGE = 65_536;

/** The verdict on a refusal: every need under every backend that was considered. */
export async function refused(
  error: SandboxError,
  line: CommandLine,
  { config, origins }: WrittenConfig,
  prefer: Prefer,
): Promise<Verdict> {
  const name = valueOf(line, "backend") ?? process.env["SANDBOXLIB_BACKEND"] ?? "";
  const candidates = (await survey()).filter(
    ({ installed }) => name === "" || installed.name === name,
  );
  const asked = needs(parseConfig(config));
  const backends = candidates.map((candidate) => {
    const { installed, probe } = candidate;
    return {
      name: installed.name,
      unavailable: probe.available ? undefined : probe.reason,
      needs: asked.map(({ capability, path }) => {
        const lack = lackOf(candidate, capability);
        const status =
          lack === undefined ? "enforced" : mayDrop(capability, prefer) ? "dropped" : "refused";
        return explained(capability, path, origins, status, lack ?? installed.name);
      }),
    };
  });
  return { verdict: "refused", error: describeError(error), backends };
}

function explained(
  capability: Capability,
  path: string,
  origins: Origins,
  status: ExplainedNeed["status"],
  because: string,
): ExplainedNeed {
  const { meaning } = CAPABILITIES[capability];
  return { capability, meaning, path, origin: originOf(origins, path), status, because };
}

function lackOf({ backend, probe }: Surveyed, capability: Capability): string | undefined {
  if (backend === undefined || !capabilitiesOf(backend).has(capability))
    return "this backend does not enforce it";
  if (!probe.available) return undefined;
  return probe.missing?.find((missing) => missing.capability === capability)?.reason;
}

function mayDrop(capability: Capability, prefer: Prefer): boolean {
  return CAPABILITIES[capability].droppable && (prefer === "all" || prefer.includes(capability));
}
