import { readFileSync } from "node:fs";
import { namespaceOf } from "../launch/processes.js";

/** A namespace by its name in `/proc/PID/ns`. */
export type NamespaceFile = "mnt" | "pid" | "ipc" | "uts" | "user" | "cgroup" | "net";

/**
 * Whether a process has another namespace than this one. Who may not read `/proc/PID/ns`, as with a process that cannot
 * be traced, is told by what everybody may read, as far as that goes. Undefined where nothing tells.
 */
export function hasOwnNamespace(pid: number, file: NamespaceFile): boolean | undefined {
  const inside = namespaceOf(pid, file);
  const own = ownNamespace(file);
  if (inside !== undefined && own !== undefined) return inside !== own;
  return SIGNS[file]?.(pid);
}

/** A Node process stays in the namespaces that it was started in. */
export function ownNamespace(file: NamespaceFile): number | undefined {
  if (!own.has(file)) own.set(file, namespaceOf("self", file));
  return own.get(file);
}

const own = new Map<NamespaceFile, number | undefined>();

const SIGNS: Partial<Record<NamespaceFile, (pid: number) => boolean | undefined>> = {
  pid: (pid) => differs(pid, "status", /^NSpid:(.*)$/m, (pids) => pids.trim().split(/\s+/).length),
  // Two namespaces may well have the same map.
  user: (pid) => differs(pid, "uid_map", /^([^]+)$/, (map) => map) === true || undefined,
  // The kernel's own socket for routes, of which each network has one.
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
    return pattern.exec(readFileSync(path, "latin1"))?.[1];
  } catch {
    return undefined;
  }
}
