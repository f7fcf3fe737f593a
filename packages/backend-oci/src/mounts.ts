import {
  type FileKind,
  holdsDevices,
  OWN_BASE,
  type ResolvedConfig,
  type ResolvedMount,
} from "@sandboxlib/core/backend";

/**
 * Where the sandbox's root is mounted in the container's. The container's own holds nothing but the init and what runtimes
 * want or make: whatever a root lacks, nothing is made in it.
 */
export const ROOT = "/root";

/** A mount of config.json. Relative sources are in the bundle. */
interface Mount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** The root and the mounts of a config, in its order. */
export function mountsOf(config: ResolvedConfig): Mount[] {
  return [
    bind("", config.root, config.rootReadOnly, "directory"),
    ...config.mounts.flatMap(mounted),
    ...ownBases(config).flatMap(masked),
  ];
}

function mounted(mount: ResolvedMount): Mount[] {
  const { target } = mount;
  switch (mount.type) {
    case "bind":
      return [bind(target, mount.source, mount.readOnly, mount.kind)];
    case "tmpfs":
      return over("open", target, tmpfs(target, ["mode=1777", ...sizeOf(mount.size)]));
    case "proc":
      return [{ ...at(target), type: "proc", source: "proc", options: [...PLAIN, "noexec"] }];
    case "dev":
      return devices(target);
    case "mask":
      return mount.kind === "file" ? [device(target, "/dev/null", "nodev")] : masked(target);
  }
}

/** A directory that cannot be listed. */
function masked(target: string): Mount[] {
  return over("sealed", target, tmpfs(target, ["ro", "mode=0111", "noexec"]));
}

const PLAIN = ["nosuid", "nodev"] as const;

function at(target: string): Pick<Mount, "destination"> {
  return { destination: `${ROOT}${target}` };
}

/**
 * `rro` is recursive; `ro` is not. A file has nothing below it, and crun takes a recursive bind for that of a directory.
 * Devices are read-only, which leaves them usable: their owner cannot change the modes that the host sees.
 */
function bind(target: string, source: string, readOnly: boolean, kind: FileKind): Mount {
  const r = kind === "directory" ? "r" : "";
  const options = [`${r}bind`, `${r}nosuid`, "rprivate"];
  const hasDevices = holdsDevices(source);
  if (!hasDevices) options.push(`${r}nodev`);
  if (readOnly) options.push(`${r}ro`);
  else if (hasDevices) options.push("ro");
  return { ...at(target), type: "bind", source, options };
}

function tmpfs(target: string, options: readonly string[]): Mount {
  return { ...at(target), type: "tmpfs", source: "tmpfs", options: [...PLAIN, ...options] };
}

/** Some runtimes give a tmpfs the mode of the directory that it covers, so that is one of the bundle's, with this mode. */
function over(directory: string, target: string, mount: Mount): Mount[] {
  const cover = {
    ...at(target),
    type: "bind",
    source: directory,
    options: ["bind", "ro", ...PLAIN],
  };
  return [cover, mount];
}

/** A file for each KiB, as the launcher has it. */
function sizeOf(size: number | undefined): string[] {
  if (size === undefined) return [];
  return [`size=${size}`, `nr_inodes=${Math.max(128, Math.ceil(size / 1024))}`];
}

function devices(target: string): Mount[] {
  return [
    tmpfs(target, ["noexec", "mode=0755"]),
    ...DEVICES.map((name) => device(`${target}/${name}`, `/dev/${name}`)),
    {
      ...at(`${target}/pts`),
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
    },
    tmpfs(`${target}/shm`, ["mode=1777"]),
  ];
}

const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"] as const;

/** Read-only: devices can be read and written all the same, and their owner cannot change their modes. */
function device(target: string, source: string, ...more: string[]): Mount {
  const options = ["bind", "ro", "nosuid", "noexec", ...more];
  return { ...at(target), type: "bind", source, options };
}

/**
 * Where the sandbox shows the bundles of this user. In there is what the runtime keeps of the container, and acts on when
 * it is told to end that: no program may write it.
 */
function ownBases({ root, mounts }: ResolvedConfig): string[] {
  const shown = [
    { target: "", source: root },
    ...mounts.flatMap((mount) => (mount.type === "bind" ? [mount] : [])),
  ];
  return shown.flatMap(({ target, source }) => {
    const base = source === "/" ? "" : source;
    if (!OWN_BASE.startsWith(`${base}/`)) return [];
    const path = `${target === "/" ? "" : target}${OWN_BASE.slice(base.length)}`;
    const top = mounts.findLast((mount) => `${path}/`.startsWith(`${mount.target}/`));
    return (top?.target ?? "") === target ? [path] : [];
  });
}
