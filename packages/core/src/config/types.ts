import type { SeccompProfile } from "@sandboxlib/seccomp";

/** The profiles of system calls that have a name. */
export const SECCOMP_NAMES = ["default", "build", "strict", "none"] as const;

/** The namespaces of namespaces(7) that a config can ask for. */
export const NAMESPACES = ["mount", "pid", "ipc", "uts", "user", "cgroup"] as const;

/** One of {@link NAMESPACES}. */
export type Namespace = (typeof NAMESPACES)[number];

/** What a config can allow that weakens the sandbox. */
export const ALLOWANCES = ["user-namespaces"] as const;

/** One of {@link ALLOWANCES}. */
export type Allowance = (typeof ALLOWANCES)[number];

/** The signals that can ask a program to end: signal(7). */
export const STOP_SIGNALS = [
  "SIGTERM",
  "SIGINT",
  "SIGHUP",
  "SIGQUIT",
  "SIGABRT",
  "SIGALRM",
  "SIGUSR1",
  "SIGUSR2",
  "SIGXCPU",
] as const;

/** A file or directory of the host that appears inside. */
export interface BindMount {
  readonly type: "bind";
  /** The file or directory of the host. */
  readonly source: string;
  /** Where it appears inside. */
  readonly target: string;
  /** Whether it cannot be written through. */
  readonly readOnly: boolean;
}

/** An empty directory in memory. */
export interface TmpfsMount {
  readonly type: "tmpfs";
  /** The directory inside. */
  readonly target: string;
  /** The most that it can hold, in bytes. */
  readonly size?: number | undefined;
}

/** The processes of the sandbox: proc(5). */
export interface ProcMount {
  readonly type: "proc";
  /** Where it appears inside. */
  readonly target: string;
}

/** The few devices that programs expect. */
export interface DevMount {
  readonly type: "dev";
  /** Where it appears inside. */
  readonly target: string;
}

/** A mount, with every default filled in. */
export type Mount = BindMount | TmpfsMount | ProcMount | DevMount;

/** What a run may use at most. */
export interface Limits {
  /** Seconds after which the run is ended with the outcome `timed-out`. */
  readonly wallTime?: number | undefined;
  /**
   * Seconds of processor time of each process, rounded up to whole ones: then it gets SIGXCPU, and SIGKILL a second
   * later. Where that ends the program, the outcome is `limit-exceeded`.
   */
  readonly cpuTime?: number | undefined;
  /** Bytes of virtual memory of each process, beyond which it gets no more. */
  readonly addressSpace?: number | undefined;
  /**
   * Bytes beyond which no file can be made to grow: the process gets SIGXFSZ. Where that ends the program, the
   * outcome is `limit-exceeded`.
   */
  readonly fileSize?: number | undefined;
  /** How many fds each process may have, the standard streams included. */
  readonly openFiles?: number | undefined;
  /** Bytes of the stack of each process, its arguments and environment included. */
  readonly stack?: number | undefined;
  /** Bytes of the core file of each process; with 0 there is none. */
  readonly coreSize?: number | undefined;
  /**
   * Bytes of memory of the whole sandbox, what it writes to a tmpfs included. Where want of it ends the program, the
   * outcome is `limit-exceeded`.
   */
  readonly memory?: number | undefined;
  /** Bytes of swap beside `memory`. Default: 0. */
  readonly swap?: number | undefined;
  /**
   * How many processes and threads the whole sandbox may have at a time, those of the backend in it included, such as
   * its pid 1; beyond that fork fails with EAGAIN.
   */
  readonly processes?: number | undefined;
  /** How many processors the whole sandbox may keep busy: 0.5 is half of one. Beyond that it waits. */
  readonly cpu?: number | undefined;
  /** The share of the disks beside others who want them, who have 100. */
  readonly ioWeight?: number | undefined;
}

/** Where writes to the root go instead. */
export interface Overlay {
  /** The directory of the host that keeps what the program writes. */
  readonly upper: string;
  /** An empty directory beside it, for the kernel. */
  readonly work: string;
}

/** The ids inside. */
export interface User {
  /** The user id inside. */
  readonly uid: number;
  /** The group id inside. */
  readonly gid: number;
  /**
   * How many ids there are inside, from 0 on: files of others are then seen with their owners. For an unprivileged
   * caller they are its subordinate ids, see subuid(5). Default: `uid` and `gid` alone, and every other id is the
   * overflow id.
   */
  readonly range?: number | undefined;
}

/** A profile of system calls by name, or of the user's own. */
export type Seccomp =
  | (typeof SECCOMP_NAMES)[number]
  | {
      /** In the form of Docker and the OCI runtime specification. */
      readonly profile: SeccompProfile;
    };

/** How a run is ended that times out or is aborted. */
export interface Stop {
  /** The signal that the program gets first when the run times out or is aborted. */
  readonly signal: (typeof STOP_SIGNALS)[number];
  /** Seconds after which everything that is still there is ended. Required with `stop`. */
  readonly grace: number;
}

/** A config with every default filled in. */
export interface Config {
  /** The argument vector, never a shell string. `run(argv)` overrides it. */
  readonly command?: readonly string[] | undefined;
  /** The host directory that becomes `/` inside. */
  readonly root: string;
  /**
   * Keeps writes away from `root`, which shows through where nothing was written; needs `writable: "all"` and another
   * root than `/`.
   */
  readonly overlay?: Overlay | undefined;
  /**
   * The paths inside that can be written, or `"all"`; everything else is read-only, submounts included. A directory
   * in them that lies above a hidden path or a read-only bind cannot be renamed.
   */
  readonly writable: "all" | readonly string[];
  /**
   * Existing paths inside that cannot be read at all. When somebody on the host replaces one, or a directory above
   * it, the program can read what is there now: it is ended within a fraction of a second, and the run fails. For
   * files that are replaced often, hide their directory. With the host's network, the file to which
   * `/etc/resolv.conf` leads stays readable unless it is hidden itself, so that names resolve.
   */
  readonly hidden: readonly string[];
  /**
   * What is mounted inside, beside the default mounts. A mount is writable unless it says `readOnly`. One on the
   * target of a default mount takes its place. An empty list means no mount at all.
   */
  readonly mounts: readonly Mount[];
  /**
   * Whether there are the default mounts, on `/proc`, `/dev` and `/tmp`, beside those in `mounts`. Default: `true`;
   * with an empty list in `mounts`, `false`.
   */
  readonly defaultMounts: false;
  /** The directory inside in which the program starts. Default: `/`; with the root `/`, the caller's. */
  readonly cwd: string;
  /**
   * The exact environment. Beside it there is only `PWD`, which is `cwd`; `HOME`, which git and others need, only
   * where it is set: `/tmp` is an empty one. An object replaces the default one.
   */
  readonly env: Readonly<Record<string, string>>;
  /** Variables that are taken from the caller's environment where they are set there and `env` does not set them. */
  readonly inheritEnv: readonly string[];
  /** `none`: nothing but a loopback of its own. `host`: the host's network. */
  readonly network: "none" | "host";
  /**
   * The namespaces that are not shared with the host. It names the least: a backend may isolate more where a rule
   * needs it.
   */
  readonly isolate: readonly Namespace[];
  /**
   * The system calls that the program may make: a profile by name, or one in the form of Docker. `default` is for
   * programs that nobody has read, and that build, test and serve; `build` also lets debuggers work; `strict` leaves
   * read, write and exit; `none` is no profile. Default: `default` where the backend enforces it.
   */
  readonly seccomp?: Seccomp | undefined;
  /**
   * What the program may do that weakens the sandbox. `user-namespaces`: make user namespaces, and mounts and
   * sandboxes in them, as browsers, Nix, Podman and bwrap do; this opens much of the kernel to it. Takes a uid other
   * than 0 inside and the profile `default` or `build`, and neither a hidden path nor a read-only bind in a directory
   * that it may write.
   */
  readonly allow: readonly Allowance[];
  /** The uid and gid inside. Default: the caller's. */
  readonly user?: User | undefined;
  /**
   * The host name inside; needs `uts` in `isolate`. Default there: `sandbox`, which no `/etc/hosts` knows, as it does
   * `localhost`.
   */
  readonly hostname?: string | undefined;
  /** What a run may use at most. */
  readonly limits: Limits;
  /** How a run is ended that times out or is aborted; without it, everything at once. */
  readonly stop?: Stop | undefined;
}

/** A mount in a config that a user writes: `readOnly` may be left out. */
export type MountInput =
  | Exclude<Mount, BindMount>
  | (Omit<BindMount, "readOnly"> & { readonly readOnly?: boolean | undefined });

/** A config that a user writes: every field may be left out. */
export type ConfigInput = {
  readonly [Field in keyof Omit<Config, "env" | "mounts" | "defaultMounts" | "stop">]?:
    | Config[Field]
    | undefined;
} & {
  /**
   * The exact environment. Beside it there is only `PWD`, which is `cwd`; `HOME`, which git and others need, only
   * where it is set: `/tmp` is an empty one. An object replaces the default one.
   */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /**
   * What is mounted inside, beside the default mounts. A mount is writable unless it says `readOnly`. One on the
   * target of a default mount takes its place. An empty list means no mount at all.
   */
  readonly mounts?: readonly MountInput[] | undefined;
  /**
   * Whether there are the default mounts, on `/proc`, `/dev` and `/tmp`, beside those in `mounts`. Default: `true`;
   * with an empty list in `mounts`, `false`.
   */
  readonly defaultMounts?: boolean | undefined;
  /** How a run is ended that times out or is aborted; without it, everything at once. */
  readonly stop?:
    | (Omit<Stop, "signal"> & { readonly signal?: Stop["signal"] | undefined })
    | undefined;
};

/** What the schema itself yields: `cwd` still depends on the caller, and the default mounts are still to be added. */
export type ParsedConfig = Omit<Config, "cwd" | "mounts" | "defaultMounts"> & {
  readonly cwd?: string | undefined;
  readonly mounts?: readonly Mount[] | undefined;
  readonly defaultMounts?: boolean | undefined;
};

/** The limits that are set. */
export function limitsIn(limits: Limits): (keyof Limits)[] {
  return (Object.keys(limits) as (keyof Limits)[]).filter((name) => limits[name] !== undefined);
}

/** The same limits without some of them. */
export function limitsWithout(limits: Limits, isGone: (name: keyof Limits) => boolean): Limits {
  const left = limitsIn(limits).filter((name) => !isGone(name));
  return Object.fromEntries(left.map((name) => [name, limits[name]]));
}
