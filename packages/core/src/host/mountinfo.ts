import { join, relative } from "node:path";
import { contentOf } from "./host.js";

/** One mount, as proc_pid_mountinfo(5) tells of it. */
export interface MountEntry {
  readonly id: string;
  readonly parent: string;
  /** The file system, as major:minor. */
  readonly device: string;
  /** The path within the file system that is shown. */
  readonly root: string;
  /** Where it is mounted. */
  readonly at: string;
  /** Of the mount alone, with commas between. */
  readonly options: string;
  readonly type: string;
  /** Of the file system. */
  readonly superOptions: string;
}

/** A place in a file system, wherever that is mounted. */
export type Origin = Pick<MountEntry, "device" | "root">;

/** Every mount that a process can reach, and those that others lie upon. */
export interface MountTable {
  readonly entries: readonly MountEntry[];
  /** That of the process's own root, on which another may lie; undefined where its root is no mount. */
  readonly root: MountEntry | undefined;
  /** The mount in which a path lies whose components are no symlinks; undefined where the root is no mount. */
  readonly mountOf: (path: string) => MountEntry | undefined;
}

/** The mounts of a process, which everybody may read; undefined where it is gone. */
export function mountsOf(pid: number | "self"): MountTable | undefined {
  const text = mountinfoOf(pid);
  return text === undefined ? undefined : parseMountinfo(text);
}

/** The same as text, see {@link parseMountinfo}. */
export function mountinfoOf(pid: number | "self"): string | undefined {
  return contentOf(`/proc/${pid}/mountinfo`);
}

/** Reads the text of `/proc/PID/mountinfo`. */
export function parseMountinfo(text: string): MountTable {
  const entries: MountEntry[] = [];
  const mountedOn = new Map<string, Map<string, MountEntry>>();
  for (const line of text.split("\n")) {
    const entry = parseLine(line);
    if (entry === undefined) continue;
    entries.push(entry);
    const others = mountedOn.get(entry.parent);
    if (others === undefined) mountedOn.set(entry.parent, new Map([[entry.at, entry]]));
    else others.set(entry.at, entry);
  }
  const atRoot = entries.filter(({ at }) => at === "/");
  const root = atRoot.find(({ parent }) => !atRoot.some(({ id }) => id === parent));
  const mountOf = (path: string): MountEntry | undefined => {
    let found = root;
    let below = root && mountedOn.get(root.id);
    // Past each slash, and to the end.
    for (let end = 1; below !== undefined && end > 0; end = nextEnd(path, end)) {
      const above = path.slice(0, end);
      for (let next = below?.get(above); next !== undefined; next = below?.get(above)) {
        found = next;
        below = mountedOn.get(next.id);
      }
    }
    return found;
  };
  return { entries, root, mountOf };
}

/** The mounts that this process sees, by which a path of the host is known wherever it is mounted. */
export class HostMounts {
  readonly ids: ReadonlySet<string>;
  readonly devices: ReadonlySet<string>;
  readonly #table: MountTable;
  readonly #origins = new Map<string, Origin | undefined>();

  constructor(table: MountTable) {
    this.#table = table;
    this.ids = new Set(table.entries.map(({ id }) => id));
    this.devices = new Set(table.entries.map(({ device }) => device));
  }

  /** Where a path without symlinks leads to. It is remembered. */
  originOf(path: string): Origin | undefined {
    if (!this.#origins.has(path)) this.#origins.set(path, this.find(path));
    return this.#origins.get(path);
  }

  /** The same of a path that is of no further interest. */
  find(path: string): Origin | undefined {
    const mount = this.#table.mountOf(path);
    return mount && { device: mount.device, root: join(mount.root, relative(mount.at, path)) };
  }
}

/** Whether nothing can be written through it. */
export function isReadOnly({ options, superOptions }: MountEntry): boolean {
  return hasOption(options, "ro") || hasOption(superOptions, "ro");
}

/** Whether an option is among those of a mount or file system. */
export function hasOption(options: string, option: string): boolean {
  return `,${options},`.includes(`,${option},`);
}

/** Fields of no fixed number are followed by a hyphen. */
function parseLine(line: string): MountEntry | undefined {
  const fields = line.split(" ");
  const [id = "", parent = "", device = "", root = "", at, options = ""] = fields;
  if (at === undefined) return undefined;
  const hyphen = fields.indexOf("-", 6);
  const [type = "", superOptions = ""] = [fields[hyphen + 1], fields[hyphen + 3]];
  return {
    id,
    parent,
    device,
    root: unescaped(root),
    at: unescaped(at),
    options,
    type,
    superOptions,
  };
}

/** Spaces and other special characters are written as octal numbers. */
function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** The end of the next prefix of a path that is a path as well; 0 behind the last. */
function nextEnd(path: string, end: number): number {
  if (end >= path.length) return 0;
  const slash = path.indexOf("/", end === 1 ? 1 : end + 1);
  return slash === -1 ? path.length : slash;
}
