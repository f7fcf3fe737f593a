import { compiledSeccomp, type FilterName } from "@sandboxlib/seccomp/compiled";

/**
 * A filter of system calls, as bytes for seccomp(2): an array of `struct sock_filter`. `base` is what every program in a
 * sandbox gets. It denies typing into a terminal that the program was given, and what reaches into pid 1 of the sandbox.
 */
export function filter(name: FilterName = "base"): Uint8Array {
  const known = made.get(name);
  if (known !== undefined) return known;
  const compiled = compiledSeccomp(name);
  made.set(name, compiled);
  return compiled;
}

const made = new Map<FilterName, Uint8Array>();
