import { accessSync, constants, readFileSync, statSync } from "node:fs";
import type { FileKind } from "@sandboxlib/core/backend";

/** A mount of the host, from proc_pid_mountinfo(5). */
interface HostMount {
  readonly path: string;
  readonly type: string;
  /** Of the mount and of the file system. */
  readonly options: readonly string[];
}

/** A file system of the host that is mounted below a directory. */
export interface Submount {
  /** The mount point, relative to the directory, with a leading slash. */
  readonly at: string;
  /** The type of the file system, as in `/proc/filesystems`. */
  readonly type: string;
  readonly kind: FileKind;
}

/**
 * Lists the mounts below a directory, which a bind that is not recursive leaves out, parents first. What the caller may not
 * open cannot be bound either, so it is left out with everything below it.
 */
export function submounts(directory: string): Submount[] {
  const prefix = directory === "/" ? "/" : `${directory}/`;
  const mounts = hostMounts().filter(({ path }) => path !== "/" && path.startsWith(prefix));
  // Of several mounts on one path, the last one is visible.
  const types = new Map(mounts.map(({ path, type }) => [path, type]));
  const out: string[] = [];
  return [...types]
    .sort(([a], [b]) => byDepth(a, b))
    .flatMap(([path, type]) => {
      const kind = out.some((above) => path.startsWith(above)) ? undefined : kindOf(path);
      if (kind === undefined) out.push(`${path}/`);
      return kind === undefined ? [] : [{ at: path.slice(prefix.length - 1), type, kind }];
    });
}

/** Whether the file system of the host in which a path lies, or its mount, has an option, such as `ro`. */
export function hasMountOption(path: string, option: string): boolean {
  const above = hostMounts().filter(
    (mount) => mount.path === "/" || `${path}/`.startsWith(`${mount.path}/`),
  );
  const depth = Math.max(...above.map((mount) => mount.path.length));
  const mount = above.findLast((each) => each.path.length === depth);
  return mount?.options.includes(option) === true;
}

function hostMounts(): HostMount[] {
  try {
    const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    return lines.flatMap((line) => {
      const fields = line.split(" ");
      const [path, options] = [fields[4], fields[5]];
      // A look at an automount point would mount its file system.
      if (path === undefined || options === undefined || line.includes(" - autofs ")) return [];
      const all = `${options},${fields.at(-1) ?? ""}`.split(",");
      const type = fields[fields.indexOf("-", 6) + 1] ?? "";
      return [{ path: path.replace(/\\(\d{3})/g, unescape), type, options: all }];
    });
  } catch {
    return [];
  }
}

function unescape(_: string, octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8));
}

function kindOf(path: string): FileKind | undefined {
  try {
    accessSync(path, constants.R_OK);
    return statSync(path).isDirectory() ? "directory" : "file";
  } catch {
    return undefined; // The caller may not open it, or another mount lies over it.
  }
}

function byDepth(a: string, b: string): number {
  return a.split("/").length - b.split("/").length;
}
