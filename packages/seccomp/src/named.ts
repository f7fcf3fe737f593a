import { assemble } from "./compile.js";
import { basePolicy, namedPolicy } from "./profiles.js";

/** The filters that have a name: the profiles but `none`, and what every sandbox has. */
export const FILTER_NAMES = ["base", "default", "build", "strict"] as const;

/** One of {@link FILTER_NAMES}. */
export type FilterName = (typeof FILTER_NAMES)[number];

/** The architectures that there are tables for, as `process.arch` calls them. */
export const ARCHITECTURES = ["x64", "arm64", "arm", "ia32", "riscv64"] as const;

/** Compiles a filter that has a name. */
export function assembleNamed(name: FilterName, arch: string): Uint8Array {
  const policy = name === "base" ? basePolicy(arch) : namedPolicy(name, arch);
  return policy === undefined ? new Uint8Array() : assemble(policy);
}
