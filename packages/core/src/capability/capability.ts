/**
 * The closed vocabulary: one word per property that a backend can enforce. The line beside each word is its
 * definition in `docs/capabilities.md`. `droppable` says whether `prefer` may let it go: a property that only
 * restricts the program can go, one that decides what the program is given cannot. What `buildsOn` names has to be there
 * as well: without it the property would mean nothing, or something else.
 */
export const CAPABILITIES = {
  root: { droppable: false, meaning: "A directory of the host becomes `/`." },
  "root.overlay": {
    droppable: false,
    buildsOn: ["root"],
    meaning: "What is written to the root goes to another directory, and the root is not touched.",
  },
  "writable.paths": {
    droppable: true,
    meaning: "Everything is read-only, submounts included, but for the listed paths.",
  },
  hidden: { droppable: true, meaning: "The listed paths cannot be read at all." },
  "mount.bind": {
    droppable: false,
    meaning: "A file or directory of the host appears at a path inside.",
  },
  "mount.bind.readOnly": {
    droppable: true,
    buildsOn: ["mount.bind"],
    meaning: "A bind mount cannot be written through, submounts included.",
  },
  "mount.tmpfs": {
    droppable: true,
    meaning:
      "An empty, writable file system, private to the run: in memory, or else a directory of the run's own, as the receipt then says.",
  },
  "mount.tmpfs.size": {
    droppable: true,
    buildsOn: ["mount.tmpfs"],
    meaning: "A tmpfs holds at most the given number of bytes.",
  },
  "mount.tmpfs.inodes": {
    droppable: true,
    buildsOn: ["mount.tmpfs.size"],
    meaning:
      "A tmpfs of a given size holds a bounded number of files, too: one for each KiB, and at least 128. Never needed by a config.",
  },
  "mount.proc": { droppable: true, meaning: "A procfs that shows the processes of the sandbox." },
  "mount.dev": {
    droppable: true,
    meaning:
      "A minimal `/dev`: null, zero, full, random, urandom, tty, and the links to the standard streams.",
  },
  "mount.create": {
    droppable: false,
    meaning:
      "A mount point that the root lacks is there for the run, and the root is not touched. Never needed by a config.",
  },
  cwd: { droppable: false, meaning: "The program starts in the given directory." },
  "env.loader": {
    droppable: false,
    meaning:
      "Variables that steer the dynamic linker (`LD_PRELOAD`, ...) reach the program and no tool on the host.",
  },
  "network.none": {
    droppable: true,
    meaning: "No network: no interface but a loopback of its own, no abstract socket of the host.",
  },
  "isolate.mount": { droppable: true, meaning: "A mount namespace of its own." },
  "isolate.pid": {
    droppable: true,
    meaning: "A pid namespace of its own: no process of the host is seen or signalled.",
  },
  "isolate.ipc": { droppable: true, meaning: "An IPC namespace of its own." },
  "isolate.uts": {
    droppable: true,
    meaning: "A host name of its own, `sandbox` unless `hostname` says otherwise.",
  },
  "isolate.user": {
    droppable: true,
    meaning: "A user namespace of its own, and no capability over the host.",
  },
  "isolate.cgroup": { droppable: true, meaning: "A cgroup namespace of its own." },
  seccomp: {
    droppable: true,
    meaning:
      "The program makes no system call but those that a profile allows. Where it is enforced, the profile `default` holds unless the config says otherwise.",
  },
  "allow.user-namespaces": {
    droppable: false,
    buildsOn: ["isolate.user", "seccomp"],
    meaning:
      "The program may make user namespaces, and mounts and sandboxes in them. What the sandbox hides, and what it has read-only, stays so in there.",
  },
  user: {
    droppable: false,
    meaning: "The program has the given uid and gid, and no supplementary group of a root caller.",
  },
  "user.range": {
    droppable: false,
    buildsOn: ["user", "isolate.user"],
    meaning: "More ids than the program's own exist inside, mapped to ids of the host.",
  },
  hostname: {
    droppable: true,
    buildsOn: ["isolate.uts"],
    meaning: "The host name inside is the given one.",
  },
  "limit.wallTime": { droppable: true, meaning: "The run is ended after the given time." },
  "limit.cpuTime": {
    droppable: true,
    meaning: "Each process is ended after the given processor time: RLIMIT_CPU of setrlimit(2).",
  },
  "limit.addressSpace": {
    droppable: true,
    meaning: "Each process has at most the given virtual memory: RLIMIT_AS.",
  },
  "limit.fileSize": {
    droppable: true,
    meaning: "No file grows beyond the given size: RLIMIT_FSIZE.",
  },
  "limit.openFiles": {
    droppable: true,
    meaning: "Each process has at most the given number of fds: RLIMIT_NOFILE.",
  },
  "limit.stack": {
    droppable: true,
    meaning: "The stack of each process has at most the given size: RLIMIT_STACK.",
  },
  "limit.coreSize": {
    droppable: true,
    meaning: "A core file has at most the given size: RLIMIT_CORE.",
  },
  "limit.memory": {
    droppable: true,
    meaning:
      "The sandbox as a whole, its tmpfs included, has at most the given memory, and swap only where it is given: a cgroup.",
  },
  "limit.processes": {
    droppable: true,
    meaning: "The sandbox as a whole has at most the given number of processes: a cgroup.",
  },
  "limit.cpu": {
    droppable: true,
    meaning: "The sandbox as a whole gets at most the given number of processors: a cgroup.",
  },
  "limit.ioWeight": {
    droppable: true,
    meaning: "The sandbox as a whole has the given share of the disks: a cgroup.",
  },
  "tree.kill": {
    droppable: true,
    meaning:
      "When the run ends, every process that it started is gone, also after a time-out and the caller's death.",
  },
  "exit.signal": {
    droppable: true,
    meaning:
      "Death by a signal is told apart from the exit status 128+n. Never needed by a config.",
  },
  session: {
    droppable: false,
    meaning:
      "One sandbox runs many commands, also at the same time, and lives until it is closed. Needed by `openSession`.",
  },
  tty: {
    droppable: false,
    meaning:
      "The program has a terminal of its own, in the `dev` mount, and it is its controlling one. Needed by the option `tty`.",
  },
  pool: {
    droppable: false,
    meaning: "A sandbox is set up ahead and waits for its command. Needed by `createPool`.",
  },
} as const;

/** One word of the vocabulary in {@link CAPABILITIES}. */
export type Capability = keyof typeof CAPABILITIES;

/** One thing that a config asks for. */
export interface Need {
  readonly capability: Capability;
  /** The config field that asks, such as `mounts[1].size`. */
  readonly path: string;
  /** Other ways to what it protects that are known of, in sentences: hard links, mounts that show it too. */
  readonly notes?: readonly string[];
}

/** Whether a string is a word of the vocabulary. */
export function isCapability(value: string): value is Capability {
  return Object.hasOwn(CAPABILITIES, value);
}

/** Every word of the vocabulary, in the order in which the docs list them. */
export function allCapabilities(): Capability[] {
  return Object.keys(CAPABILITIES).filter(isCapability);
}

/** What has to be there as well for a capability to mean anything. */
export function basesOf(capability: Capability): readonly Capability[] {
  const described: Described = CAPABILITIES[capability];
  return described.buildsOn ?? [];
}

interface Described {
  readonly droppable: boolean;
  readonly buildsOn?: readonly Capability[];
}
