/**
 * A policy in the form of Docker, Podman and the OCI runtime specification (`linux.seccomp` of config-linux.md, and what
 * Docker has beside it: `archMap`, `includes`, `excludes`).
 */
export interface SeccompProfile {
  /** For each call that no rule names. */
  readonly defaultAction: SeccompAction;
  /** The error of `SCMP_ACT_ERRNO` as default, a number of errno(3). Default: 1, EPERM. */
  readonly defaultErrnoRet?: number;
  /** The ABIs beside the native one, such as `SCMP_ARCH_X86`. Those that this machine cannot execute do not matter. */
  readonly architectures?: readonly string[];
  /** The same, by the native one. Not together with `architectures`. */
  readonly archMap?: readonly {
    readonly architecture: string;
    readonly subArchitectures?: readonly string[] | null;
  }[];
  /** `SECCOMP_FILTER_FLAG_TSYNC` alone, which changes nothing before there are threads. */
  readonly flags?: readonly string[];
  readonly syscalls?: readonly SeccompRule[];
}

/** What the kernel does with a call, by the names of libseccomp. `SCMP_ACT_NOTIFY` is refused: nobody would answer. */
export type SeccompAction =
  | "SCMP_ACT_ALLOW"
  | "SCMP_ACT_ERRNO"
  | "SCMP_ACT_KILL"
  | "SCMP_ACT_KILL_PROCESS"
  | "SCMP_ACT_KILL_THREAD"
  | "SCMP_ACT_LOG"
  | "SCMP_ACT_TRACE"
  | "SCMP_ACT_TRAP";

/** What some calls get. A rule that does not apply to this machine, this kernel or these capabilities is left out. */
export interface SeccompRule {
  /** Calls that no table knows are left out, and named in the answer. */
  readonly names?: readonly string[];
  readonly name?: string;
  readonly action: SeccompAction;
  /** For `SCMP_ACT_ERRNO` and `SCMP_ACT_TRACE`. Default: 1. */
  readonly errnoRet?: number | null;
  /** They must all hold, and no two are about one argument: runtimes disagree about what that means. */
  readonly args?: readonly SeccompArgument[] | null;
  /** All of these must hold. */
  readonly includes?: SeccompFilter | null;
  /** None of these may hold. */
  readonly excludes?: SeccompFilter | null;
  readonly comment?: string;
}

/** What an argument is compared with, as an unsigned number. */
export interface SeccompArgument {
  /** From 0 to 5. */
  readonly index: number;
  /** With `SCMP_CMP_MASKED_EQ` the mask. */
  readonly value: number | bigint;
  /** With `SCMP_CMP_MASKED_EQ` the value. Default: 0. */
  readonly valueTwo?: number | bigint;
  readonly op: `SCMP_CMP_${"EQ" | "NE" | "LT" | "LE" | "GT" | "GE" | "MASKED_EQ"}`;
}

/** When a rule applies. */
export interface SeccompFilter {
  /** Capabilities of the bounding set, such as `CAP_SYS_ADMIN`. `includes` wants all of them, `excludes` none. */
  readonly caps?: readonly string[];
  /** Native architectures, by the names of Go: `amd64`, `arm64`, ... */
  readonly arches?: readonly string[];
  /** The oldest kernel, as `major.minor`. */
  readonly minKernel?: string;
}
