import { readFileSync, readlinkSync } from "node:fs";

/** A namespace by its name in `/proc/PID/ns`. */
export type NamespaceFile = "mnt" | "pid" | "ipc" | "uts" | "user" | "cgroup" | "net";

/**
 * Returns a function that tells whether a process has another namespace than this one; undefined where that cannot be told.
 * Where `/proc/PID/ns` may not be read, it looks at other files, which everybody may read. After the first failure it does
 * not try `/proc/PID/ns` again.
 */
export function namespacesOf(pid: number): (file: NamespaceFile) => boolean | undefined {
  let isClosed = false;
  return (file) => {
    const inside = isClosed ? undefined : linkOf(pid, file);
    isClosed = inside === undefined;
    const own = ownLink(file);
    return isClosed || own === undefined ? SIGNS[file]?.(pid) : inside !== own;
  };
}

/** The inode of a namespace of this process, as namespaces(7) numbers them. */
export function ownNamespace(file: NamespaceFile): number | undefined {
  const inode = /\[(\d+)\]$/.exec(ownLink(file) ?? "")?.[1];
  return inode === undefined ? undefined : Number(inode);
}

/** A Node process stays in the namespaces that it was started in. */
function ownLink(file: NamespaceFile): string | undefined {
  if (!own.has(file)) own.set(file, linkOf("self", file));
  return own.get(file);
}

const own = new Map<NamespaceFile, string | undefined>();

function linkOf(pid: number | "self", file: NamespaceFile): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${file}`);
  } catch {
    return undefined;
  }
}

const SIGNS: Partial<Record<NamespaceFile, (pid: number) => boolean | undefined>> = {
  pid: (pid) => differs(pid, "status", /^NSpid:(.*)$/m, (pids) => pids.trim().split(/\s+/).length),
  // Two namespaces may have the same map, so an equal map tells nothing.
  user: (pid) => differs(pid, "uid_map", /^([^]+)$/, (map) => map) === true || undefined,
  // The inode of the kernel's own routing socket, of which each network namespace has one.
  net: (pid) => differs(pid, "net/netlink", /^\S+ +0 +0 +.* (\d+) *$/m, (inode) => inode),
};

function differs(
  pid: number,
  file: string,
  pattern: RegExp,
  read: (text: string) => string | number,
): boolean | undefined {
  const [inside, outside] = [pid, "self"].map((each) => match(`/proc/${each}/${file}`, pattern));
  if (inside === undefined || outside === undefined) return undefined;
  return read(inside) !== read(outside);
}

function match(path: string, pattern: RegExp): string | undefined {
  try {
    return pattern.exec(readFileSync(path, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}
