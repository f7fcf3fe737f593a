import { guest, type Host, type OwnEntry, type ResolvedConfig } from "@sandboxlib/core/backend";
import { mountsOf, ROOT } from "./mounts.js";
import { launcherPath, type Runtime } from "./runtime.js";

/** The fds that the init inside is given: the launcher, as `runtime`, adds those from 7 on. */
export const FD = {
  report: 3,
  lifeline: 4,
  variables: 5,
  filter: 6,
  command: 7,
  streams: 8,
} as const;
/** How many there are, from 3 on. */
export const FDS = 8;

/** The bundle of a run, as files: `config.json`, the container's root, and what the runtime keeps of the container. */
export function bundle(config: ResolvedConfig, host: Host, runtime: Runtime): OwnEntry[] {
  const directory = (path: string, mode: number) => ({ type: "directory", path, mode }) as const;
  const file = (path: string, data: string | Uint8Array) =>
    ({ type: "file", path, mode: 0o600, data }) as const;
  const profile = guest.profile(config.seccomp);
  return [
    file("config.json", JSON.stringify(containerOf(config, host, runtime))),
    directory("state", 0o700),
    directory("open", 0o1777),
    directory("sealed", 0o111),
    directory("container", 0o755),
    ...["root", "proc", "dev"].map((name) => directory(`container/${name}`, 0o755)),
    file("container/init", ""),
    ...(profile === undefined ? [] : [file("profile", profile), file("container/profile", "")]),
  ];
}

/** `config.json` of the OCI runtime specification. It has no hooks. */
export function containerOf(config: ResolvedConfig, host: Host, runtime: Runtime): object {
  const { hostname } = config;
  const procs = config.mounts.flatMap(({ type, target }) => (type === "proc" ? [target] : []));
  const user = config.user ?? host;
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: runtime.isRootless ? { uid: 0, gid: 0 } : { uid: user.uid, gid: user.gid },
      args: ["/init", ...initWords(config, host, runtime)],
      env: [],
      cwd: "/",
      noNewPrivileges: true,
      capabilities: capabilities(),
    },
    root: { path: "container", readonly: true },
    ...(hostname !== undefined && { hostname }),
    mounts: [
      ...mountsOf(config),
      ...OWN_MOUNTS,
      readOnlyFile("/init", launcherPath()),
      ...(guest.profile(config.seccomp) === undefined ? [] : [readOnlyFile(PROFILE, "profile")]),
    ],
    linux: {
      namespaces: namespaces(config).map((type) => ({ type })),
      // Pid 1 has the uid of the program, which could write to its memory and open its files.
      maskedPaths: procs.map((target) => `${ROOT}${target}/1`),
      // Root owns them with or without capabilities; kernel/core_pattern names a program that the host runs as root.
      readonlyPaths: procs.flatMap((target) =>
        ["sys", "sysrq-trigger", "irq", "bus", "fs"].map((name) => `${ROOT}${target}/${name}`),
      ),
    },
  };
}

/** Later than the root, in which a bind of all of the host's would show them. */
const OWN_MOUNTS = [
  { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
  {
    destination: "/dev",
    type: "tmpfs",
    source: "tmpfs",
    options: ["nosuid", "noexec", "mode=755", "size=65536"],
  },
] as const;

/** Where the init inside finds a filter for the program alone. */
const PROFILE = "/profile";

function readOnlyFile(destination: string, source: string): object {
  return { destination, type: "bind", source, options: ["bind", "ro", "nosuid", "nodev"] };
}

function initWords(config: ResolvedConfig, { uid, gid }: Host, { isRootless }: Runtime): string[] {
  const { report, lifeline, variables, filter, command, streams } = FD;
  const user = config.user ?? { uid, gid };
  const isOther = isRootless && (user.uid !== 0 || user.gid !== 0);
  return guest.words({
    report,
    lifeline,
    variables,
    filter,
    ...(guest.profile(config.seccomp) !== undefined && { profile: PROFILE }),
    command,
    streams,
    root: ROOT,
    cwd: config.cwd,
    // There is one id, which runtimes want to be 0.
    ...(isOther && { user: `${user.uid}:${user.gid}` }),
    dev: config.mounts.flatMap(({ type, target }) => (type === "dev" ? [target] : [])),
    limits: config.limits,
  });
}

/** The init's, which gives all of them up before there is a program: for its root, its links and its user namespace. */
function capabilities(): object {
  const all = ["CAP_DAC_OVERRIDE", "CAP_SETPCAP", "CAP_SYS_CHROOT", "CAP_SETFCAP"];
  const sets = ["bounding", "effective", "inheritable", "permitted", "ambient"];
  return Object.fromEntries(sets.map((set) => [set, all]));
}

/** The one for users is there already, where there is one. */
function namespaces({ isolate, network }: ResolvedConfig): string[] {
  return [
    "pid",
    "mount",
    ...(["ipc", "uts", "cgroup"] as const).filter((name) => isolate.has(name)),
    ...(network === "none" ? ["network"] : []),
  ];
}
