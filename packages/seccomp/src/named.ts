import { assemble } from "./compile.js";
import type { Policy } from "./policy.js";
import { basePolicy, namedPolicy } from "./profiles.js";

/** The filters that have a name: the profiles but `none`, those that allow user namespaces, and what every sandbox has. */
export const FILTER_NAMES = [
  "base",
  "default",
  "build",
  "strict",
  "default+user-namespaces",
  "build+user-namespaces",
] as const;

/** One of {@link FILTER_NAMES}. */
export type FilterName = (typeof FILTER_NAMES)[number];

/** The architectures that there are tables for, as `process.arch` calls them. */
export const ARCHITECTURES = ["x64", "arm64", "arm", "ia32", "riscv64"] as const;

/** Compiles a filter that has a name. */
export function assembleNamed(name: FilterName, arch: string): Uint8Array {
  const policy = policyOf(name, arch);
  return policy === undefined ? new Uint8Array() : assemble(policy);
}

function policyOf(name: FilterName, arch: string): Policy | undefined {
  switch (name) {
    case "base":
      return basePolicy(arch);
    case "default+user-namespaces":
      return namedPolicy("default", arch, true);
    case "build+user-namespaces":
      return namedPolicy("build", arch, true);
    default:
      return namedPolicy(name, arch);
  }
}
