import type { Backend } from "../backend/backend.js";
import { parseConfig } from "../config/parse.js";
import { type Config, type ConfigInput, NAMESPACES } from "../config/types.js";
import type { Dropped } from "../result/result.js";
import { resolve } from "./resolve.js";

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
): Required<Pick<ConfigInput, "writable" | "network" | "isolate" | "mounts">> {
  const strictest = parseConfig({ writable: [], network: "none", isolate: [...NAMESPACES] });
  const { writable, network, isolate, mounts } = resolve(
    strictest,
    backend,
    ANYWHERE,
    "all",
  ).config;
  return { writable, network, isolate, mounts };
}
