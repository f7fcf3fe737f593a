import { release } from "node:os";
import { SeccompError } from "./check.js";
import { assemble } from "./compile.js";
import type { SeccompProfile } from "./oci.js";
import { parseProfile } from "./parse.js";
import type { Policy } from "./policy.js";
import { namedPolicy, SECCOMP_PROFILES, type SeccompProfileName } from "./profiles.js";
import type { Target } from "./rule.js";

export { SeccompError } from "./check.js";
export type {
  SeccompAction,
  SeccompArgument,
  SeccompFilter,
  SeccompProfile,
  SeccompRule,
} from "./oci.js";
export { SECCOMP_PROFILES, type SeccompProfileName } from "./profiles.js";

/** For which machine a profile is compiled. */
export type SeccompTarget = Partial<Target>;

/** A profile as the kernel takes it. */
export interface CompiledSeccomp {
  /**
   * A program of classic BPF: an array of `struct sock_filter`, as seccomp(2) and `bwrap --seccomp FD` take it. Empty for
   * `none`.
   */
  readonly filter: Uint8Array;
  /** The calls that the profile names and no table knows: of another architecture, or newer than the tables. */
  readonly unknown: readonly string[];
}

/**
 * Compiles a profile for a machine.
 *
 * Calls by another ABI than the native one and those that the profile lists end the process with SIGSYS. Where the rest of
 * a profile denies, a number that no table knows answers ENOSYS, as an older kernel does. Arguments are compared at the
 * size that the kernel looks at. A call whose own arguments lie in memory answers ENOSYS where it would pass a rule on
 * those of another: openat2 and io_uring beside open, clone3 beside clone, socketcall of i386 beside socket.
 *
 * @param profile - A name of {@link SECCOMP_PROFILES}, or a policy in the form of Docker and the OCI runtime specification.
 * @param target - Default: this machine, without any capability.
 * @throws SeccompError, with the field at fault.
 */
export function compileSeccomp(
  profile: SeccompProfileName | SeccompProfile,
  { arch = process.arch, capabilities = [], kernel = release() }: SeccompTarget = {},
): CompiledSeccomp {
  if (typeof profile !== "string") {
    const { policy, unknown } = parseProfile(profile, { arch, capabilities, kernel });
    return { filter: assembled(policy), unknown };
  }
  if (!Object.hasOwn(SECCOMP_PROFILES, profile)) {
    const hint = `There are ${Object.keys(SECCOMP_PROFILES).join(", ")}.`;
    throw new SeccompError("", `there is no seccomp profile ${JSON.stringify(profile)}`, hint);
  }
  const policy = namedPolicy(profile, arch);
  return { filter: policy === undefined ? new Uint8Array() : assembled(policy), unknown: [] };
}

function assembled(policy: Policy): Uint8Array {
  try {
    return assemble(policy);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const problem = `has too many rules: ${cause.message}, and the kernel takes 4096`;
    throw new SeccompError("syscalls", problem, "Join rules, or leave architectures out.");
  }
}
