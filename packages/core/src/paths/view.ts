import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { FileKind, ResolvedConfig, ResolvedMount } from "../backend/resolved-config.js";
import { errnoOf } from "../host/host.js";
import { SandboxError } from "../result/error.js";

/** What the program will see: the root, and what has been mounted over it so far. */
export interface View {
  readonly root: string;
  /** The upper layer of an overlay: what is in it hides the same path of the root. */
  readonly upper?: string;
  readonly mounts: ReadonlyMap<string, ResolvedMount>;
}

/** Where a path of the sandbox leads. */
export interface Located {
  /** The path inside with every symlink resolved, as far as it exists. */
  readonly path: string;
  /** The path on the host; undefined in a tmpfs, proc or dev of the sandbox. */
  readonly host: string | undefined;
  /** `memory`: nothing yet, in a tmpfs or dev of the sandbox, where anything can be made. */
  readonly kind: FileKind | "missing" | "memory";
}

const MAX_SYMLINKS = 40;

/**
 * Follows a path inside the view the way openat2(2) does with RESOLVE_IN_ROOT: an absolute symlink starts again at
 * the root, and `..` stops there, so that a hostile root leads nowhere else.
 *
 * @param under - Look below what is mounted on the path itself: at the mount point.
 * @throws the error of lstat(2), and ELOOP.
 */
export function locate(view: View, path: string, under = false): Located {
  let current = "/";
  let symlinks = 0;
  const left = path.split("/");
  while (left.length > 0) {
    const name = left.shift();
    if (name === undefined || name === "" || name === ".") continue;
    if (name === "..") {
      current = dirname(current);
      continue;
    }
    const next = join(current, name);
    const atEnd = left.every((rest) => rest === "" || rest === ".");
    if (!(atEnd && under) && view.mounts.has(next)) {
      current = next;
      continue;
    }
    const host = hostPath(view, next, atEnd && under);
    const stat = host === undefined ? undefined : lstat(host);
    if (stat === undefined) {
      if (!atEnd && host === undefined && isMadeForMount(view, next)) {
        current = next;
        continue;
      }
      return { path: join(next, ...left), host, kind: host === undefined ? "memory" : "missing" };
    }
    if (stat.isSymbolicLink()) {
      symlinks += 1;
      if (symlinks > MAX_SYMLINKS)
        throw Object.assign(new Error("too many symlinks"), { code: "ELOOP" });
      const link = readLink(host ?? "");
      if (link === undefined) {
        left.unshift(name);
        continue;
      }
      if (link.startsWith("/")) current = "/";
      left.unshift(...link.split("/"));
      continue;
    }
    current = next;
    if (atEnd) return { path: current, host, kind: stat.isDirectory() ? "directory" : "file" };
    if (!stat.isDirectory()) return { path: join(current, ...left), host, kind: "missing" };
  }
  return mounted(view, current);
}

/** The mount in which a path lies, if it is not the root. */
export function nearest(view: View, target: string): ResolvedMount | undefined {
  for (let above = dirname(target); above !== "/"; above = dirname(above)) {
    const mount = view.mounts.get(above);
    if (mount !== undefined) return mount;
  }
  return undefined;
}

/** What a program will see with a resolved config. A mirror shows what it covers. */
export function viewOf({
  root,
  overlay,
  mounts,
}: Pick<ResolvedConfig, "root" | "overlay" | "mounts">): View {
  return {
    ...viewAt(root, overlay),
    mounts: new Map(mounts.map((mount) => [mount.target, mount])),
  };
}

/** A root, and what lies over it. */
export function viewAt(root: string, overlay?: ResolvedConfig["overlay"]): Omit<View, "mounts"> {
  return { root, ...(overlay !== undefined && { upper: overlay.upper }) };
}

/** The path is the root or a mount point: it is what is mounted there. */
function mounted(view: View, path: string): Located {
  const mount = view.mounts.get(path);
  const kind = mount !== undefined && "kind" in mount ? mount.kind : "directory";
  return { path, host: hostPath(view, path, false), kind };
}

/** Undefined in what exists only in memory. */
function hostPath(view: View, path: string, under: boolean): string | undefined {
  for (let above = under ? dirname(path) : path; above !== "/"; above = dirname(above)) {
    const mount = view.mounts.get(above);
    if (mount?.type === "bind" && mount.source === "") continue;
    if (mount !== undefined)
      return mount.type === "bind" ? join(mount.source, path.slice(above.length)) : undefined;
  }
  const over = view.upper === undefined ? undefined : join(view.upper, path);
  return over !== undefined && lstat(over) !== undefined ? over : join(view.root, path);
}

/** A directory that exists only because the target of another mount lies in it. */
function isMadeForMount(view: View, path: string): boolean {
  return [...view.mounts.keys()].some((target) => target.startsWith(`${path}/`));
}

function lstat(host: string): Stats | undefined {
  try {
    return lstatSync(host);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errnoOf(error))) return undefined;
    throw error;
  }
}

/** Where a symlink leads; undefined where somebody has just put something else there, which is to be looked at again. */
function readLink(host: string): string | undefined {
  try {
    return readlinkSync(host);
  } catch (error) {
    if (["EINVAL", "ENOENT"].includes(errnoOf(error))) return undefined;
    throw error;
  }
}

/** What is wrong with a path that a config names, as `PATH_INVALID`. */
export function invalid(
  path: string,
  value: string,
  message: string,
  hint?: string,
  cause?: unknown,
): SandboxError {
  return new SandboxError("PATH_INVALID", `${path}: ${JSON.stringify(value)} ${message}`, {
    path,
    ...(hint !== undefined && { hint }),
    cause,
  });
}

/**
 * Follows a path of a config inside the view, see {@link locate}.
 *
 * @throws SandboxError `PATH_INVALID` when it cannot be looked up.
 */
export function find(view: View, path: string, field: string, under = false): Located {
  try {
    return locate(view, path, under);
  } catch (cause) {
    const code = errnoOf(cause);
    const why = REASONS[code] ?? code;
    throw invalid(field, path, `cannot be looked up: ${why}`, undefined, cause);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "a directory on the way may not be entered by this user (EACCES)",
  ENOTCONN: "what is mounted on the way has lost its server (ENOTCONN)",
  ELOOP: "its symlinks lead round in a circle (ELOOP)",
};

/** The real path of a file of the host; undefined when it does not exist or cannot be reached. */
export function realPath(path: string): string | undefined {
  try {
    const real = realpathSync.native(path);
    // The root of a file system whose server has died has a real path all the same.
    statSync(real);
    return real;
  } catch {
    return undefined;
  }
}
