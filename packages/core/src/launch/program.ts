import { closeSync, constants, openSync, readSync, statSync } from "node:fs";
import type { ResolvedConfig } from "../plan/resolved-config.js";
import { type Located, locate, type View, viewOf } from "../resolve/view.js";
import { SandboxError } from "../result/error.js";

/**
 * Looks the program up inside, as execvp(3) will, so that the usual mistakes get a clear error before anything starts.
 * What cannot be told from outside is left to the kernel.
 *
 * @throws SandboxError `COMMAND_NOT_FOUND`, `COMMAND_NOT_EXECUTABLE`
 */
export function assertProgram(config: ResolvedConfig, name: string): void {
  const view = viewOf(config);
  const candidates = pathsOf(name, config);
  let denied: string | undefined;
  for (const path of candidates) {
    const at = look(view, path);
    if (at === "unknown") return;
    if (at.kind === "missing" || at.kind === "memory") continue;
    const why = whyNotExecutable(at);
    if (why === undefined) return assertInterpreter(view, name, at);
    denied ??= why;
  }
  if (denied !== undefined) throw notExecutable(name, denied);
  const where = name.includes("/")
    ? `in the root ${config.root}`
    : `on the PATH inside (${config.env["PATH"] ?? DEFAULT_PATH})`;
  throw new SandboxError(
    "COMMAND_NOT_FOUND",
    `command: ${JSON.stringify(name)} was not found ${where}`,
    {
      path: "command",
      hint: "Give a path that exists inside, or set PATH in `env`.",
    },
  );
}

/** What execvp(3) of glibc falls back on. */
const DEFAULT_PATH = "/bin:/usr/bin";

function pathsOf(name: string, config: ResolvedConfig): string[] {
  const inCwd = (path: string): string => (path.startsWith("/") ? path : `${config.cwd}/${path}`);
  if (name.includes("/")) return [inCwd(name)];
  if (name === "") return [];
  return (config.env["PATH"] ?? DEFAULT_PATH)
    .split(":")
    .map((directory) => inCwd(`${directory || "."}/${name}`));
}

/** `unknown`: we may not look, or it lies in a file system that only the kernel knows. */
function look(view: View, path: string): Located | "unknown" {
  try {
    const at = locate(view, path);
    return at.kind === "memory" && inProc(view, at.path) ? "unknown" : at;
  } catch {
    return "unknown";
  }
}

function inProc(view: View, path: string): boolean {
  return [...view.mounts.values()].some(
    ({ type, target }) => type === "proc" && path.startsWith(`${target}/`),
  );
}

function whyNotExecutable({ kind, host }: Located): string | undefined {
  if (kind === "directory") return "is a directory";
  const stat = host === undefined ? undefined : statSync(host, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isFile()) return "is not a regular file";
  return stat !== undefined && (stat.mode & 0o111) === 0 ? "has no execute permission" : undefined;
}

/** "No such file or directory" for a file that is plainly there is the kernel's word for a missing interpreter. */
function assertInterpreter(view: View, name: string, { host }: Located): void {
  const interpreter = host === undefined ? undefined : interpreterOf(host);
  if (interpreter === undefined || !interpreter.startsWith("/")) return;
  const at = look(view, interpreter);
  if (at === "unknown" || at.kind === "file") return;
  throw notExecutable(
    name,
    `needs the interpreter ${JSON.stringify(interpreter)}, which does not exist inside`,
  );
}

/** The path after `#!` (execve(2)), or the PT_INTERP of a 64-bit little-endian ELF file (elf(5)). */
function interpreterOf(file: string): string | undefined {
  const head = Buffer.allocUnsafe(4096);
  let length = 0;
  try {
    // A hostile root may have put a FIFO or a symlink there since it was looked at.
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    length = readSync(fd, head);
    closeSync(fd);
  } catch {
    return undefined; // Executable, but not readable: only the kernel can tell.
  }
  if (length > 2 && head.toString("latin1", 0, 2) === "#!") {
    return /^#![ \t]*([^ \t\n\0]+)/.exec(head.toString("latin1", 0, Math.min(length, 256)))?.[1];
  }
  if (length < 64 || head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2 || head[5] !== 1)
    return undefined;
  const [offset, size, count] = [
    Number(head.readBigUInt64LE(32)),
    head.readUInt16LE(54),
    head.readUInt16LE(56),
  ];
  for (let index = 0; index < count; index += 1) {
    const header = offset + index * size;
    if (header + 56 > length) return undefined;
    if (head.readUInt32LE(header) !== 3) continue;
    const [from, bytes] = [
      Number(head.readBigUInt64LE(header + 8)),
      Number(head.readBigUInt64LE(header + 32)),
    ];
    return from + bytes <= length ? head.toString("latin1", from, from + bytes - 1) : undefined;
  }
  return undefined;
}

function notExecutable(name: string, why: string): SandboxError {
  return new SandboxError("COMMAND_NOT_EXECUTABLE", `command: ${JSON.stringify(name)} ${why}`, {
    path: "command",
  });
}
