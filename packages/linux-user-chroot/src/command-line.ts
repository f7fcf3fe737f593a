import type { Fatal } from "./fatal.js";
import { USAGE } from "./help.js";

/** A mount option as it is on the command line. */
export type MountOption =
  | { readonly type: "bind"; readonly source: string; readonly dest: string }
  | { readonly type: "readonly" | "proc" | "devapi"; readonly dest: string };

/** What the arguments ask for. */
export interface CommandLine {
  readonly rootDir: string;
  readonly command: readonly [string, ...string[]];
  /** The mounts in the order in which they are made. */
  readonly mounts: readonly MountOption[];
  readonly unshare: ReadonlySet<"ipc" | "pid" | "net">;
  readonly chdir: string;
}

/** The limit of the original linux-user-chroot. As there, each option counts, and ROOTDIR does, too. */
const MAX_OPTIONS = 1024;

/** How many arguments each option takes. */
const TAKES: Readonly<Record<string, 0 | 1 | 2>> = {
  "--help": 0,
  "--version": 0,
  "--mount-bind": 2,
  "--mount-readonly": 1,
  "--mount-proc": 1,
  "--mount-devapi": 1,
  "--unshare-ipc": 0,
  "--unshare-pid": 0,
  "--unshare-net": 0,
  "--chdir": 1,
  "--seccomp-profile-version": 1,
};

/**
 * Reads the arguments: options, then ROOTDIR and PROGRAM. There is no `--` and no `--option=value`: the first word that is
 * no option is ROOTDIR, also when it begins with a dash.
 */
export function readCommandLine(args: readonly string[]): CommandLine | "help" | "version" | Fatal {
  if (args.length === 0) return { fatal: "ROOTDIR argument must be specified" };
  const mounts: MountOption[] = [];
  const unshare = new Set<"ipc" | "pid" | "net">();
  let chdir = "/";
  let seccomp = -1;
  let at = 0;
  for (let count = 0; at < args.length; count += 1) {
    if (count >= MAX_OPTIONS) return { fatal: `Too many mounts (maximum of ${MAX_OPTIONS})` };
    const name = args[at] ?? "";
    const takes = Object.hasOwn(TAKES, name) ? TAKES[name] : undefined;
    if (takes === undefined) break;
    const [one = "", two = ""] = args.slice(at + 1);
    if (args.length - at - 1 < takes) return { fatal: `${name} takes ${ARGUMENTS[takes]}` };
    if (name === "--help" || name === "--version") return name === "--help" ? "help" : "version";
    if (name === "--chdir") chdir = one;
    else if (name === "--seccomp-profile-version") seccomp = atoi(one);
    else if (name === "--mount-bind") mounts.push({ type: "bind", source: one, dest: two });
    else if (takes === 1) mounts.push({ type: name.slice(8) as "proc", dest: one });
    else unshare.add(name.slice(10) as "ipc");
    at += 1 + takes;
  }
  const [rootDir, program, ...rest] = args.slice(at);
  if (rootDir === undefined || program === undefined) return { fatal: USAGE };
  if (seccomp !== -1) return { fatal: seccomp === 0 ? NO_SECCOMP : UNKNOWN_SECCOMP };
  return { rootDir, command: [program, ...rest], mounts, unshare, chdir };
}

const ARGUMENTS = ["no argument", "one argument", "two arguments"] as const;

const UNKNOWN_SECCOMP = "Unknown --seccomp-profile-version";

const NO_SECCOMP =
  "--seccomp-profile-version 0: system calls cannot be filtered here, so nothing is run (-1, the default, asks for no filter)";

/** Reads a number as atoi(3) does: a text that is no number is 0. */
function atoi(text: string): number {
  return Number(/^\s*[+-]?\d+/.exec(text)?.[0] ?? 0);
}
