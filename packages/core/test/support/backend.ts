import type { Backend } from "../../src/index.backend.js";
import { allCapabilities, type Capability } from "../../src/index.js";

/** A made-up backend: what it declares is all that resolve asks of it. */
export function declaring(
  capabilities: readonly Capability[],
): Pick<Backend, "name" | "capabilities"> {
  return { name: "made-up", capabilities: new Set(capabilities) };
}

/** Every capability but the given ones. */
export function allBut(...without: readonly Capability[]): Capability[] {
  return allCapabilities().filter((capability) => !without.includes(capability));
}
