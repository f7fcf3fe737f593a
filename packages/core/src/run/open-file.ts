import { closeSync, constants, fstatSync, openSync, readlinkSync } from "node:fs";
import { resolve } from "node:path";
import { isatty } from "node:tty";
import type { ResolvedConfig } from "../backend/resolved-config.js";
import { errnoOf } from "../host/host.js";
import { SandboxError } from "../result/error.js";

const { O_RDONLY, O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_DIRECTORY } =
  constants;
/** O_PATH of open(2), for which Node has no name: it looks a file up without opening it for reading. */
const O_PATH = 0o10_000_000;
const READ = O_RDONLY | O_NONBLOCK | O_NOCTTY;
const WRITE = O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW;

/** Opens a file for standard input: see {@link openOutputFile}. */
export function openInputFile(name: string, path: string, config: ResolvedConfig): number {
  return open(name, path, config, READ);
}

/**
 * Makes or empties a file for an output. No symlink is followed that a program in such a sandbox could have made, nor
 * is one at the end of the path.
 *
 * @throws SandboxError `LAUNCH_FAILED`; `PATH_INVALID` for a symlink.
 */
export function openOutputFile(name: string, path: string, config: ResolvedConfig): number {
  return open(name, path, config, WRITE);
}

function open(name: string, path: string, config: ResolvedConfig, flags: number): number {
  const fd = attempt(name, path, () => {
    const writable = process.platform === "linux" ? writableIn(config) : [];
    const isPlain = writable.length === 0;
    return isPlain ? openSync(path, flags, 0o666) : walk(name, path, writable, flags);
  });
  const stat = fstatSync(fd);
  const isEndless = stat.isFIFO() || stat.isSocket() || (stat.isCharacterDevice() && isatty(fd));
  if (!isEndless) return fd;
  closeSync(fd);
  throw new SandboxError("LAUNCH_FAILED", `${name}: ${JSON.stringify(path)} is no file`, {
    path: name,
    hint: "Open it where this process can wait for it, and give `{ fd }`.",
  });
}

/** The paths on the host to which a program in the sandbox can write. */
function writableIn({ root, rootReadOnly, overlay, mounts }: ResolvedConfig): string[] {
  const binds = mounts.flatMap((mount) =>
    mount.type === "bind" && !mount.readOnly ? [mount.source] : [],
  );
  return rootReadOnly ? binds : [overlay?.upper ?? root, ...binds];
}

/** Follows a path from directory to directory by fds, so that a rename in the meantime cannot lead elsewhere. */
function walk(name: string, path: string, writable: readonly string[], flags: number): number {
  const left = resolve(path).split("/").filter(Boolean);
  let directory = openSync("/", O_PATH | O_DIRECTORY);
  try {
    for (let links = 0; ; ) {
      const [next = ".", ...rest] = left;
      const at = `/proc/self/fd/${directory}/${next}`;
      const link = linkAt(at);
      if (link === undefined && rest.length === 0) return openSync(at, flags | O_NOFOLLOW, 0o666);
      left.shift();
      if (link === undefined) {
        const below = openSync(at, O_PATH | O_DIRECTORY | O_NOFOLLOW);
        closeSync(directory);
        directory = below;
        continue;
      }
      const isLast = rest.length === 0 && (flags & O_NOFOLLOW) !== 0;
      links += 1;
      if (
        isLast ||
        links > MOST_LINKS ||
        isIn(readlinkSync(`/proc/self/fd/${directory}`), writable)
      )
        throw symlink(name, path, next);
      left.unshift(...link.split("/").filter(Boolean));
      if (link.startsWith("/")) {
        closeSync(directory);
        directory = openSync("/", O_PATH | O_DIRECTORY);
      }
    }
  } finally {
    closeSync(directory);
  }
}

const MOST_LINKS = 40;

/** The target of a symlink; undefined for anything else, and for what does not exist. */
function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function isIn(path: string, directories: readonly string[]): boolean {
  return directories.some((each) => each === "/" || path === each || path.startsWith(`${each}/`));
}

function attempt(name: string, path: string, act: () => number): number {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof SandboxError) throw cause;
    if (errnoOf(cause) === "ELOOP") throw symlink(name, path);
    const [reason] = String(cause).split(",");
    const message = `${name}: ${JSON.stringify(path)} cannot be opened: ${reason}`;
    throw new SandboxError("LAUNCH_FAILED", message, { path: name, cause });
  }
}

function symlink(name: string, path: string, component?: string): SandboxError {
  const at = component === undefined ? "" : ` at ${JSON.stringify(component)}`;
  const message = `${name}: ${JSON.stringify(path)} leads over a symlink${at}, which is not followed: a program may have put it there`;
  const hint = "Give the path that it leads to, or an open fd.";
  return new SandboxError("PATH_INVALID", message, { path: name, hint });
}
