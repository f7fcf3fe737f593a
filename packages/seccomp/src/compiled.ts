// What a run needs of this package when its profile has a name: to compile one takes some milliseconds the first time.
import { COMPILED } from "./compiled.generated.js";
import type { FilterName } from "./named.js";

export type { FilterName } from "./named.js";

/**
 * A filter that has a name, as it was compiled when this package was built: `default`, `build` and `strict`; the first two
 * also with `+user-namespaces`; or `base`, which every sandbox has, and which all but `strict` contain.
 *
 * @param arch - Default: this machine's. One without a table gets a filter that answers ENOSYS to everything.
 */
export function compiledSeccomp(name: FilterName, arch: string = process.arch): Uint8Array {
  return Buffer.from(COMPILED[arch]?.[name] ?? NOTHING, "base64");
}

/** `BPF_RET | BPF_K` with ENOSYS. */
const NOTHING = "BgAAACYABQA=";
