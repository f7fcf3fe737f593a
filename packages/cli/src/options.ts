import type { Config, Limits } from "@sandboxlib/core";
import type { CommandName } from "./commands.js";
import {
  ALLOWANCES,
  bindMount,
  devMount,
  duration,
  fraction,
  hostPath,
  idOrName,
  NAMESPACES,
  namespaces,
  plainText,
  procMount,
  type Reader,
  SECCOMP_NAMES,
  seccompProfile,
  signalName,
  size,
  tmpfsMount,
  variable,
  variablesOf,
  volume,
  wholeNumber,
} from "./readers.js";

/**
 * One option. The command line is parsed by it; the help, docs/cli.md and the option behind a config field in messages
 * come from it.
 */
export type Option = Switch | ValuedOption;

/** An option that takes no argument. */
interface Switch {
  /** A letter that means the same, after a single dash. */
  readonly short?: string;
  readonly help: string;
  /** What the help of some commands says in its place, for which it means something else. */
  readonly helps?: Partial<Record<CommandName, string>>;
  readonly group: OptionGroup;
  /** The commands that take it. */
  readonly commands: readonly CommandName[];
  readonly argument?: undefined;
}

/** An option that takes an argument. */
export interface ValuedOption extends Omit<Switch, "argument"> {
  /** What the help calls the argument. */
  readonly argument: string;
  readonly read: Reader<unknown>;
  /** The config field that it sets. */
  readonly field?: ConfigField;
  /** What a shell can complete: files or directories of the host, capabilities, or these words. */
  readonly completes?: "file" | "directory" | "capability" | readonly string[];
  /** Whether each use adds to the ones before; otherwise the last one counts. */
  readonly repeat?: true;
  /** Whether a second use is refused, because the last one would drop more than a value. */
  readonly once?: true;
}

/** A field of the config, or one inside it. */
export type ConfigField =
  | keyof Config
  | `limits.${keyof Limits}`
  | `user.${keyof NonNullable<Config["user"]>}`
  | `stop.${keyof NonNullable<Config["stop"]>}`;

/** What an option is about: the headings of the help, in its order. */
export const OPTION_GROUPS = [
  "Root and images",
  "Files and mounts",
  "Program",
  "Isolation",
  "Limits",
  "Config and backend",
  "Output and help",
] as const;

/** One of {@link OPTION_GROUPS}. */
export type OptionGroup = (typeof OPTION_GROUPS)[number];

const RUN_EXPLAIN = ["run", "explain", "plan", "prove", "session start"] as const;
const RUN_EXEC = [...RUN_EXPLAIN, "session exec"] as const;
const WITH_IMAGES = ["run", "explain", "session start", "image"] as const;
const EVERY = [
  "run",
  "backends",
  "doctor",
  "explain",
  "plan",
  "prove",
  "session start",
  "session exec",
  "session stop",
  "schema",
  "image",
  "gc",
  "new-backend",
  "completion",
  "help",
  "version",
] as const;

/** Every option under its name without dashes, in the order of the help. */
const TABLE = {
  root: {
    argument: "DIR",
    read: hostPath,
    completes: "file",
    field: "root",
    help: "The host directory or the image that becomes /, as ROOT. Default: the host's own root.",
    group: "Root and images",
    commands: RUN_EXPLAIN,
  },
  volume: {
    argument: "NAME=PATH[:ro]",
    read: volume,
    repeat: true,
    help: "The host directory for a mount point of an App Container image.",
    group: "Root and images",
    commands: RUN_EXPLAIN,
  },
  digest: {
    argument: "DIGEST",
    read: plainText,
    help: "What the image must be: `sha256:...`, or the ID of an App Container image, `sha512-...`. It may be shortened to 32 digits.",
    group: "Root and images",
    commands: WITH_IMAGES,
  },
  platform: {
    argument: "OS/ARCH",
    read: plainText,
    help: "Which image to take of one for several platforms. Default: this machine's.",
    group: "Root and images",
    commands: WITH_IMAGES,
  },
  tag: {
    argument: "TAG",
    read: plainText,
    help: "Which image to take of an archive of several; of `image build`, the name of the new one.",
    group: "Root and images",
    commands: WITH_IMAGES,
  },
  images: {
    argument: "DIR",
    read: hostPath,
    completes: "directory",
    help: "Where App Container images are that others build on, or that a pod consists of.",
    group: "Root and images",
    commands: WITH_IMAGES,
  },
  pod: {
    argument: "FILE",
    read: plainText,
    completes: "file",
    help: "Runs the apps of an App Container pod manifest, in place of ROOT; --images has their images. FILE is trusted as the command line is: it may bind what it wants of the host.",
    group: "Root and images",
    commands: ["run"],
  },
  "metadata-service": {
    help: "Tells an App Container image, or the apps of a pod, about themselves under AC_METADATA_URL.",
    group: "Root and images",
    commands: ["run"],
  },
  "max-size": {
    argument: "SIZE",
    read: size,
    help: "The most that an image may hold, as SIZE of --tmpfs. Default: 16g.",
    group: "Root and images",
    commands: WITH_IMAGES,
  },
  aci: {
    help: "Makes an App Container image.",
    group: "Root and images",
    commands: ["image"],
  },
  oci: {
    help: "Makes an OCI image layout in a tar archive.",
    group: "Root and images",
    commands: ["image"],
  },
  output: {
    short: "o",
    argument: "FILE",
    read: hostPath,
    completes: "file",
    help: "The file to write.",
    group: "Root and images",
    commands: ["image", "plan"],
  },
  entrypoint: {
    argument: "WORD",
    read: plainText,
    repeat: true,
    help: "What a run of the new image starts: the program, and with each further one an argument.",
    group: "Root and images",
    commands: ["image"],
  },
  cmd: {
    argument: "WORD",
    read: plainText,
    repeat: true,
    help: "The arguments after --entrypoint, which COMMAND of a run replaces, or the whole command.",
    group: "Root and images",
    commands: ["image"],
  },
  user: {
    argument: "USER[:GROUP]",
    read: plainText,
    help: "The user of the new image, by names or numbers. Default: root.",
    group: "Root and images",
    commands: ["image"],
  },
  all: {
    help: "Removes the images that no run uses from the cache, too.",
    group: "Root and images",
    commands: ["gc"],
  },
  writable: {
    argument: "PATH|all",
    read: plainText,
    completes: "file",
    field: "writable",
    repeat: true,
    help: "A path inside that can be written; everything else is read-only. One that is relative starts where the program does, so `.` is the working directory. `all`: everything.",
    group: "Files and mounts",
    commands: RUN_EXPLAIN,
  },
  hide: {
    argument: "PATH",
    read: plainText,
    completes: "file",
    field: "hidden",
    repeat: true,
    help: "A path inside that cannot be read at all, as PATH of --writable.",
    group: "Files and mounts",
    commands: RUN_EXPLAIN,
  },
  bind: {
    argument: "SRC[:DST[:ro|rw]]",
    read: bindMount,
    completes: "file",
    field: "mounts",
    repeat: true,
    help: "Mounts SRC of the host on DST inside (default: the same path), read-only with `ro` and writable otherwise. `SRC::ro`: the same path, read-only. `\\:` is a colon in a path.",
    group: "Files and mounts",
    commands: RUN_EXPLAIN,
  },
  tmpfs: {
    argument: "DST[:SIZE]",
    read: tmpfsMount,
    completes: "directory",
    field: "mounts",
    repeat: true,
    help: "Mounts an empty, writable file system. SIZE in bytes, or with k, m or g in KiB, MiB or GiB.",
    group: "Files and mounts",
    commands: RUN_EXPLAIN,
  },
  proc: {
    argument: "DST",
    read: procMount,
    completes: "directory",
    field: "mounts",
    repeat: true,
    help: "Mounts a procfs.",
    group: "Files and mounts",
    commands: RUN_EXPLAIN,
  },
  dev: {
    argument: "DST",
    read: devMount,
    completes: "directory",
    field: "mounts",
    repeat: true,
    help: "Mounts a minimal /dev.",
    group: "Files and mounts",
    commands: RUN_EXPLAIN,
  },
  "no-default-mounts": {
    help: "Leaves out what is mounted by default: proc on /proc, dev on /dev, tmpfs on /tmp.",
    group: "Files and mounts",
    commands: RUN_EXPLAIN,
  },
  cwd: {
    argument: "DIR",
    read: plainText,
    completes: "directory",
    field: "cwd",
    help: "The directory inside in which the program starts. Default: /; with the host's own root, the working directory.",
    helps: {
      "session exec":
        "The directory inside in which the command starts. Default: that of the session.",
      image: "Where a run of the new image starts. Default: /.",
    },
    group: "Program",
    commands: [...RUN_EXEC, "image"],
  },
  env: {
    argument: "K=V",
    read: variable,
    field: "env",
    repeat: true,
    help: "Sets a variable. The program has these, a standard PATH and PWD, and no other. HOME=/tmp is an empty home, which git and others need.",
    helps: {
      "session exec": "Sets a variable, beside those of the session.",
      image: "Sets a variable in the new image.",
    },
    group: "Program",
    commands: [...RUN_EXEC, "image"],
  },
  "env-file": {
    argument: "FILE",
    read: variablesOf,
    completes: "file",
    repeat: true,
    help: "Sets the variables in FILE, which has K=V on each line, and `#` before a comment. What --env sets counts more.",
    group: "Program",
    commands: RUN_EXEC,
  },
  "inherit-env": {
    argument: "NAME",
    read: plainText,
    field: "inheritEnv",
    repeat: true,
    help: "Hands a variable of the caller on.",
    group: "Program",
    commands: RUN_EXPLAIN,
  },
  tty: {
    help: "Gives the program a terminal of its own, as large as the caller's, which stands for it. TERM is handed on. Without COMMAND, a shell is run: the caller's SHELL with the host's own root, else /bin/sh.",
    group: "Program",
    commands: ["run", "explain"],
  },
  network: {
    argument: "none|host",
    read: plainText,
    completes: ["none", "host"],
    field: "network",
    help: "`host`: the host's network. Default: none.",
    group: "Isolation",
    commands: RUN_EXPLAIN,
  },
  isolate: {
    argument: "LIST|all|none",
    read: namespaces,
    completes: ["all", "none", ...NAMESPACES],
    field: "isolate",
    help: `Namespaces that are not shared with the host, of ${NAMESPACES.join(",")}. Default: all.`,
    group: "Isolation",
    commands: RUN_EXPLAIN,
  },
  seccomp: {
    argument: "NAME|FILE",
    read: seccompProfile,
    completes: SECCOMP_NAMES,
    field: "seccomp",
    help: "The system calls that the program may make: a profile by name, of default, build, strict and none, or FILE with one in Docker's form, which has a slash in its name or ends in .json. Default: default, where the backend enforces it.",
    group: "Isolation",
    commands: RUN_EXPLAIN,
  },
  allow: {
    argument: "WORD",
    read: plainText,
    completes: ALLOWANCES,
    field: "allow",
    repeat: true,
    help: "What the program may do that weakens the sandbox. `user-namespaces`: make user namespaces, and mounts and sandboxes in them, which opens much of the kernel to it.",
    group: "Isolation",
    commands: RUN_EXPLAIN,
  },
  uid: {
    argument: "N|NAME",
    read: idOrName,
    field: "user.uid",
    help: "The uid inside; NAME is looked up in /etc/passwd of the root. Default: the caller's.",
    group: "Isolation",
    commands: RUN_EXPLAIN,
  },
  gid: {
    argument: "N|NAME",
    read: idOrName,
    field: "user.gid",
    help: "The gid inside; NAME is looked up in /etc/group of the root. Default: the caller's.",
    group: "Isolation",
    commands: RUN_EXPLAIN,
  },
  hostname: {
    argument: "NAME",
    read: plainText,
    field: "hostname",
    help: "The host name inside. Default: sandbox, which no /etc/hosts knows, as it does localhost.",
    group: "Isolation",
    commands: RUN_EXPLAIN,
  },
  timeout: {
    argument: "SECONDS",
    read: duration,
    field: "limits.wallTime",
    helps: {
      "session exec":
        "Ends the command after this time, with exit code 124. SECONDS may have a fraction, or a unit: 500ms, 10s, 5m, 1h.",
    },
    help: "Ends the run after this time, with exit code 124. SECONDS may have a fraction, or a unit: 500ms, 10s, 5m, 1h.",
    group: "Limits",
    commands: RUN_EXEC,
  },
  "stop-signal": {
    argument: "SIGNAL",
    read: signalName,
    field: "stop.signal",
    help: "What the program gets first when it times out, with --stop-grace. Default: SIGTERM.",
    group: "Limits",
    commands: RUN_EXPLAIN,
  },
  "stop-grace": {
    argument: "SECONDS",
    read: duration,
    field: "stop.grace",
    help: "How long it then has until everything is ended. Default: no time at all.",
    group: "Limits",
    commands: RUN_EXPLAIN,
  },
  "cpu-time": {
    argument: "SECONDS",
    read: duration,
    field: "limits.cpuTime",
    help: "Ends a process that has used so much processor time; if it is COMMAND, with exit code 152.",
    group: "Limits",
    commands: RUN_EXPLAIN,
  },
  "address-space": {
    argument: "SIZE",
    read: size,
    field: "limits.addressSpace",
    help: "The most virtual memory of each process. SIZE as of --tmpfs.",
    group: "Limits",
    commands: RUN_EXPLAIN,
  },
  "file-size": {
    argument: "SIZE",
    read: size,
    field: "limits.fileSize",
    help: "The size that no file can grow beyond. A process that tries is ended; if it is COMMAND, with exit code 153.",
    group: "Limits",
    commands: RUN_EXPLAIN,
  },
  "open-files": {
    argument: "N",
    read: wholeNumber,
    field: "limits.openFiles",
    help: "The most fds of each process, the standard streams included.",
    group: "Limits",
    commands: RUN_EXPLAIN,
  },
  stack: {
    argument: "SIZE",
    read: size,
    field: "limits.stack",
    help: "The largest stack of each process.",
    group: "Limits",
    commands: RUN_EXPLAIN,
  },
  "core-size": {
    argument: "SIZE",
    read: size,
    field: "limits.coreSize",
    help: "The largest core file of each process; 0 for none.",
    group: "Limits",
    commands: RUN_EXPLAIN,
  },
  memory: {
    argument: "SIZE",
    read: size,
    field: "limits.memory",
    help: "The most memory of everything in the sandbox, its tmpfs included; exit code 137 when it runs out.",
    group: "Limits",
    commands: RUN_EXPLAIN,
  },
  swap: {
    argument: "SIZE",
    read: size,
    field: "limits.swap",
    help: "The most swap, beside --memory. Default: none.",
    group: "Limits",
    commands: RUN_EXPLAIN,
  },
  processes: {
    argument: "N",
    read: wholeNumber,
    field: "limits.processes",
    help: "The most processes and threads in the sandbox, the backend's own included.",
    group: "Limits",
    commands: RUN_EXPLAIN,
  },
  cpu: {
    argument: "N",
    read: fraction,
    field: "limits.cpu",
    help: "How many processors the sandbox may keep busy; 0.5 is half of one.",
    group: "Limits",
    commands: RUN_EXPLAIN,
  },
  "io-weight": {
    argument: "N",
    read: wholeNumber,
    field: "limits.ioWeight",
    help: "The sandbox's share of the disks, 1 to 10000, beside others with 100.",
    group: "Limits",
    commands: RUN_EXPLAIN,
  },
  config: {
    argument: "FILE",
    read: plainText,
    completes: "file",
    once: true,
    help: "A config in JSON to start from. Other options replace its values and add to its lists.",
    group: "Config and backend",
    commands: RUN_EXPLAIN,
  },
  cgroup: {
    argument: "DIR",
    read: hostPath,
    completes: "directory",
    help: "A directory below /sys/fs/cgroup in which this user may make others: the run gets a cgroup of its own there, for its limits and its accounting. Default: one below the caller's own, and only for a limit that needs it.",
    group: "Config and backend",
    commands: RUN_EXPLAIN,
  },
  backend: {
    argument: "NAME",
    read: plainText,
    help: "The backend to use. Default: the strongest installed one that can honour the config.",
    group: "Config and backend",
    commands: RUN_EXPLAIN,
  },
  prefer: {
    argument: "CAPABILITY",
    read: plainText,
    completes: "capability",
    repeat: true,
    help: "Lets this need go where the backend cannot meet it, and says so.",
    group: "Config and backend",
    commands: RUN_EXPLAIN,
  },
  degrade: {
    help: "Lets every need go that may go, as --prefer.",
    group: "Config and backend",
    commands: RUN_EXPLAIN,
  },
  "dry-run": {
    help: "Prints the plan as JSON and starts nothing.",
    helps: { gc: "Says what it would remove, and removes nothing." },
    group: "Output and help",
    commands: ["run", "gc"],
  },
  "result-file": {
    argument: "FILE",
    read: plainText,
    completes: "file",
    help: "Writes the whole result, or the error, as JSON.",
    group: "Output and help",
    commands: ["run"],
  },
  meta: {
    argument: "FILE",
    read: plainText,
    completes: "file",
    help: "Writes how the run ended and what it took, for a judge: `key:value` lines with the keys of isolate(1).",
    group: "Output and help",
    commands: ["run"],
  },
  quiet: {
    help: "Does not say what is not enforced, nor which limit has ended the run.",
    group: "Output and help",
    commands: ["run", "session start"],
  },
  json: {
    help: "Prints JSON.",
    group: "Output and help",
    commands: ["backends", "doctor", "explain", "prove", "image", "gc"],
  },
  engine: {
    help: "Writes the package of an engine, and a small engine to try it with.",
    group: "Output and help",
    commands: ["new-backend"],
  },
  man: {
    help: "Prints the manual page, for man(1).",
    group: "Output and help",
    commands: ["help"],
  },
  verbose: {
    help: "Says on standard error of a bug of ours where it is.",
    helps: {
      run: "Says more on standard error: what is enforced and by what; of a bug of ours, where it is.",
      prove: "Lists what was not tried, too, with the reason; of a bug of ours, says where it is.",
    },
    group: "Output and help",
    commands: EVERY,
  },
  help: {
    short: "h",
    help: "Prints this help.",
    group: "Output and help",
    commands: EVERY,
  },
  version: {
    help: "Prints the version.",
    group: "Output and help",
    commands: EVERY,
  },
} satisfies Readonly<Record<string, Option>>;

/** The name of an option, without the dashes. */
export type OptionName = keyof typeof TABLE;

/** The name of an option that takes an argument. */
export type ValuedOptionName = {
  [Name in OptionName]: (typeof TABLE)[Name] extends ValuedOption ? Name : never;
}[OptionName];

/** What the reader of an option makes of its argument. */
export type OptionValue<Name extends ValuedOptionName> = ReturnType<(typeof TABLE)[Name]["read"]>;

/** Every option, in the order of the help. */
export const OPTIONS: Readonly<Record<ValuedOptionName, ValuedOption>> &
  Readonly<Record<OptionName, Option>> = TABLE;

/** Whether a word is the name of an option. */
export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

/** The options that a command takes. */
export function optionsOf(command: CommandName): OptionName[] {
  return Object.keys(OPTIONS)
    .filter(isOptionName)
    .filter((name) => OPTIONS[name].commands.includes(command));
}
