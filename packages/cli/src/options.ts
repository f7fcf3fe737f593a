import type { CommandName } from "./commands.js";
import type { OptionName } from "./option-name.js";

/** One option, as data: the command line is read by it, and the help and docs/cli.md are made from it. */
export interface OptionSpec {
  /** How the help calls its argument; without one the option is a switch. */
  readonly argument?: string;
  /** Whether each use adds to the ones before; else the last one counts. */
  readonly repeat?: boolean;
  readonly help: string;
  /** The commands that take it. */
  readonly commands: readonly CommandName[];
}

const PROGRAM: readonly CommandName[] = ["run", "explain"];
const IMAGE: readonly CommandName[] = ["run", "explain", "image"];
const EVERY: readonly CommandName[] = [
  "run",
  "backends",
  "doctor",
  "explain",
  "schema",
  "image",
  "gc",
];

/** Every option, in the order of the help. */
export const OPTIONS: Readonly<Record<OptionName, OptionSpec>> = {
  root: {
    argument: "DIR",
    help: "The host directory or the image that becomes /, as ROOT. Default: the host's own root.",
    commands: PROGRAM,
  },
  volume: {
    argument: "NAME=PATH[:ro]",
    repeat: true,
    help: "The host directory for a mount point of an App Container image.",
    commands: PROGRAM,
  },
  digest: {
    argument: "DIGEST",
    help: "What the image must be: `sha256:...`, or the ID of an App Container image, `sha512-...`. It may be shortened to 32 digits.",
    commands: IMAGE,
  },
  platform: {
    argument: "OS/ARCH",
    help: "Which image to take of one for several platforms. Default: this machine's.",
    commands: IMAGE,
  },
  tag: {
    argument: "TAG",
    help: "Which image to take of an archive of several.",
    commands: IMAGE,
  },
  images: {
    argument: "DIR",
    help: "Where App Container images are that others build on, or that a pod consists of.",
    commands: IMAGE,
  },
  pod: {
    argument: "FILE",
    help: "Runs the apps of an App Container pod manifest, in place of ROOT; --images has their images. FILE is trusted as the command line is: it may bind what it wants of the host.",
    commands: ["run"],
  },
  "metadata-service": {
    help: "Tells an App Container image, or the apps of a pod, about themselves under AC_METADATA_URL.",
    commands: ["run"],
  },
  "max-size": {
    argument: "SIZE",
    help: "The most that an image may hold, as SIZE of --tmpfs. Default: 16g.",
    commands: IMAGE,
  },
  aci: { help: "Makes an App Container image.", commands: ["image"] },
  oci: { help: "Makes an OCI image layout in a tar archive.", commands: ["image"] },
  output: { argument: "FILE", help: "The file to write (-o FILE).", commands: ["image"] },
  writable: {
    argument: "PATH|all",
    repeat: true,
    help: "A path inside that can be written; everything else is read-only. `all`: everything.",
    commands: PROGRAM,
  },
  hide: {
    argument: "PATH",
    repeat: true,
    help: "A path inside that cannot be read at all.",
    commands: PROGRAM,
  },
  bind: {
    argument: "SRC[:DST[:ro]]",
    repeat: true,
    help: "Mounts SRC of the host on DST inside (default: the same path), writable unless `ro`. `SRC::ro`: the same path, read-only. `\\:` is a colon in a path.",
    commands: PROGRAM,
  },
  tmpfs: {
    argument: "DST[:SIZE]",
    repeat: true,
    help: "Mounts an empty file system in memory. SIZE in bytes, or with k, m or g in KiB, MiB or GiB.",
    commands: PROGRAM,
  },
  proc: { argument: "DST", repeat: true, help: "Mounts a procfs.", commands: PROGRAM },
  dev: { argument: "DST", repeat: true, help: "Mounts a minimal /dev.", commands: PROGRAM },
  "no-default-mounts": {
    help: "Leaves out what is mounted by default: proc on /proc, dev on /dev, tmpfs on /tmp.",
    commands: PROGRAM,
  },
  cwd: {
    argument: "DIR",
    help: "The directory inside in which the program starts. Default: /; with the host's own root, the working directory.",
    commands: PROGRAM,
  },
  env: {
    argument: "K=V",
    repeat: true,
    help: "Sets a variable. The program has these, a standard PATH and PWD, and no other.",
    commands: PROGRAM,
  },
  "inherit-env": {
    argument: "NAME",
    repeat: true,
    help: "Hands a variable of the caller on.",
    commands: PROGRAM,
  },
  network: {
    argument: "none|host",
    help: "`host`: the host's network. Default: none.",
    commands: PROGRAM,
  },
  isolate: {
    argument: "LIST|all|none",
    help: "Namespaces that are not shared with the host, of mount,pid,ipc,uts,user,cgroup. Default: all.",
    commands: PROGRAM,
  },
  uid: { argument: "N", help: "The uid inside. Default: the caller's.", commands: PROGRAM },
  gid: { argument: "N", help: "The gid inside. Default: the caller's.", commands: PROGRAM },
  hostname: {
    argument: "NAME",
    help: "The host name inside. Default: sandbox.",
    commands: PROGRAM,
  },
  timeout: {
    argument: "SECONDS",
    help: "Ends the run after this time, which may have a fraction, with exit code 124.",
    commands: PROGRAM,
  },
  "stop-signal": {
    argument: "SIGNAL",
    help: "What the program gets first when it times out, with --stop-grace. Default: SIGTERM.",
    commands: PROGRAM,
  },
  "stop-grace": {
    argument: "SECONDS",
    help: "How long it then has until everything is ended. Default: no time at all.",
    commands: PROGRAM,
  },
  "cpu-time": {
    argument: "SECONDS",
    help: "Ends a process that has used so much processor time; if it is COMMAND, with exit code 152.",
    commands: PROGRAM,
  },
  "address-space": {
    argument: "SIZE",
    help: "The most virtual memory of each process. SIZE as of --tmpfs.",
    commands: PROGRAM,
  },
  "file-size": {
    argument: "SIZE",
    help: "The size that no file can grow beyond. A process that tries is ended; if it is COMMAND, with exit code 153.",
    commands: PROGRAM,
  },
  "open-files": {
    argument: "N",
    help: "The most fds of each process, the standard streams included.",
    commands: PROGRAM,
  },
  stack: { argument: "SIZE", help: "The largest stack of each process.", commands: PROGRAM },
  "core-size": {
    argument: "SIZE",
    help: "The largest core file of each process; 0 for none.",
    commands: PROGRAM,
  },
  memory: {
    argument: "SIZE",
    help: "The most memory of everything in the sandbox, its tmpfs included; exit code 137 when it runs out.",
    commands: PROGRAM,
  },
  swap: {
    argument: "SIZE",
    help: "The most swap, beside --memory. Default: none.",
    commands: PROGRAM,
  },
  processes: {
    argument: "N",
    help: "The most processes and threads in the sandbox, the backend's own included.",
    commands: PROGRAM,
  },
  cpu: {
    argument: "N",
    help: "How many processors the sandbox may keep busy; 0.5 is half of one.",
    commands: PROGRAM,
  },
  "io-weight": {
    argument: "N",
    help: "The sandbox's share of the disks, 1 to 10000, beside others with 100.",
    commands: PROGRAM,
  },
  tty: {
    help: "Gives the program a terminal of its own, as large as the caller's, which stands for it. TERM is handed on.",
    commands: PROGRAM,
  },
  config: {
    argument: "FILE",
    help: "A config in JSON to start from. Other options replace its values and add to its lists.",
    commands: PROGRAM,
  },
  cgroup: {
    argument: "DIR",
    help: "A directory below /sys/fs/cgroup in which this user may make others: the run gets a cgroup of its own there, for its limits and its accounting. Default: one below the caller's own, and only for a limit that needs it.",
    commands: PROGRAM,
  },
  backend: {
    argument: "NAME",
    help: "The backend to use. Default: the strongest installed one that can honour the config.",
    commands: PROGRAM,
  },
  prefer: {
    argument: "CAPABILITY",
    repeat: true,
    help: "Lets this need go where the backend cannot meet it, and says so.",
    commands: PROGRAM,
  },
  degrade: { help: "Lets every need go that may go, as --prefer.", commands: PROGRAM },
  "dry-run": { help: "Prints the plan as JSON and starts nothing.", commands: PROGRAM },
  "result-file": {
    argument: "FILE",
    help: "Writes the whole result, or the error, as JSON.",
    commands: PROGRAM,
  },
  quiet: {
    help: "Does not say what is not enforced, nor which limit has ended the run.",
    commands: PROGRAM,
  },
  json: { help: "Prints JSON.", commands: ["backends", "doctor", "explain", "image"] },
  verbose: {
    help: "Says what is enforced and by what, on standard error.",
    commands: EVERY,
  },
  help: {
    help: "Prints this help.",
    commands: EVERY,
  },
  version: {
    help: "Prints the version.",
    commands: EVERY,
  },
};

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
