import type { Allowance, Config, Limits, Namespace } from "../config/types.js";

/** A config that one backend can honour on one host: narrowed, every path looked up, every default decided. */
export interface ResolvedConfig {
  /** The real path of the host directory that becomes `/`. */
  readonly root: string;
  /** Whether the root itself is read-only; what is writable all the same is a bind in `mounts`. */
  readonly rootReadOnly: boolean;
  /** Where writes to the root go instead, as real paths. */
  readonly overlay?: { readonly upper: string; readonly work: string };
  /** Everything that is mounted over the root, in the order to mount it: a directory before what lies in it. */
  readonly mounts: readonly ResolvedMount[];
  /** Only for backends that declare `mount.create`: see {@link Mirror}. */
  readonly mirrors: readonly Mirror[];
  readonly cwd: string;
  /** The program's whole environment, `PWD` included. */
  readonly env: Readonly<Record<string, string>>;
  readonly network: "none" | "host";
  readonly isolate: ReadonlySet<Namespace>;
  /** Only when the config asks for other ids than the caller's. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Only when the config asks for more ids than the program's own. */
  readonly idMap?: IdMap;
  /** Only when `isolate` has `uts`. */
  readonly hostname?: string;
  /**
   * The profile of system calls, by name or compiled: an array of `struct sock_filter`. Absent: there is to be none, and
   * what a backend gives every program is enough.
   */
  readonly seccomp?: SeccompFilter;
  /** What the program may do that weakens the sandbox; only when the config allows something. */
  readonly allow?: readonly Allowance[];
  readonly limits: Limits;
  /** How core ends a run that takes too long, or is aborted; absent: everything at once. */
  readonly stop?: NonNullable<Config["stop"]>;
}

/** The profiles that deny all that `"filter"` of a plan does, as they are and with what `allow` opens. */
export const WIDE_PROFILES = [
  "default",
  "build",
  "default+user-namespaces",
  "build+user-namespaces",
] as const;

/** One of {@link WIDE_PROFILES}. */
export type WideProfile = (typeof WIDE_PROFILES)[number];

/** A profile of system calls to be enforced. */
export type SeccompFilter = WideProfile | "strict" | Uint8Array;

/** One thing to mount. `target` is canonical inside the root: no component of it was a symlink when it was looked up. */
export type ResolvedMount = {
  readonly target: string;
  /** The config field that asks for it. */
  readonly path: string;
  /** Whether the mount point lies in a tmpfs, dev or mirror of this list and must be made there. */
  readonly create: boolean;
} & (
  | {
      readonly type: "bind";
      /** Empty, in an overlay only: the directory at the target itself, so that it cannot be renamed. */
      readonly source: string;
      readonly readOnly: boolean;
      readonly kind: FileKind;
    }
  | {
      readonly type: "tmpfs";
      readonly size?: number;
      /** Whether it only masks something of the host, for a backend without `hidden`: it need not be writable. */
      readonly isMask?: true;
    }
  | { readonly type: "proc" | "dev" }
  | { readonly type: "mask"; readonly kind: FileKind }
);

/**
 * A read-only directory in memory that covers its target and shows every entry of it, so that mount points can be made
 * there. It covers a mount on the same target.
 */
export interface Mirror {
  readonly target: string;
  /** The config field that asks for the mount point. */
  readonly path: string;
}

/** What a path is, as far as mounting cares: a directory, or anything else. */
export type FileKind = "file" | "directory";

/** The ids of a user namespace, as in user_namespaces(7). */
export interface IdMap {
  readonly uids: readonly IdExtent[];
  readonly gids: readonly IdExtent[];
}

/** So many ids, from one number on inside and from another outside. */
export interface IdExtent {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}
