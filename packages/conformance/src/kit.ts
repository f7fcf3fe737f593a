import {
  allCapabilities,
  CAPABILITIES,
  type Capability,
  createPool,
  createSandbox,
} from "@sandboxlib/core";
import { type Backend, capabilitiesOf, type Probe } from "@sandboxlib/core/backend";
import type { Recipe } from "./root/recipe.js";

/** A backend under test, and what the cases need to know of it. */
export interface Kit {
  /** The backend as it was given. */
  readonly given: Backend;
  /** Answers with the probe that was made when the kit was opened. */
  readonly backend: Backend;
  /** What it declares and this host does not lack. */
  readonly has: ReadonlySet<Capability>;
  /** Why each declared capability is missing on this host. */
  readonly missing: ReadonlyMap<Capability, string>;
  /** What every case lets go, so that a config asks for nothing but what the backend has and what is under test. */
  readonly prefer: readonly Capability[];
  readonly recipe: Recipe;
  readonly createSandbox: typeof createSandbox;
  readonly createPool: typeof createPool;
}

/** What makes sandboxes; the kit's own tests put a faulty one in its place. */
export type Library = Pick<Kit, "createSandbox" | "createPool">;

/**
 * Opens the kit for an available backend.
 *
 * @param library - The parts of core that are replaced; none outside the kit's own tests.
 */
export function openKit(
  backend: Backend,
  probe: Extract<Probe, { available: true }>,
  recipe: Recipe,
  library: Partial<Library> = {},
): Kit {
  const missing = new Map(probe.missing?.map(({ capability, reason }) => [capability, reason]));
  const has = new Set([...capabilitiesOf(backend)].filter((word) => !missing.has(word)));
  return {
    given: backend,
    backend: {
      apiVersion: backend.apiVersion,
      name: backend.name,
      capabilities: backend.capabilities,
      ...(backend.partly !== undefined && { partly: backend.partly }),
      isEngine: backend.isEngine === true,
      probe: async () => probe,
      plan: (config, host, found) => backend.plan(config, host, found),
    },
    has,
    missing,
    prefer: allCapabilities().filter((word) => CAPABILITIES[word].droppable && !has.has(word)),
    recipe,
    createSandbox,
    createPool,
    ...library,
  };
}
