import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from "node:fs";
import type { ResolvedConfig } from "../backend/resolved-config.js";
import { errnoOf } from "../host/host.js";
import { SandboxError } from "../result/error.js";
import { type Located, locate, type View, viewOf } from "./view.js";

/**
 * Looks the program up inside, as execvp(3) will, so that the usual mistakes get a clear error before anything starts.
 * What cannot be told from outside is left to the kernel.
 *
 * @throws SandboxError `COMMAND_NOT_FOUND`, `COMMAND_NOT_EXECUTABLE`
 */
export function assertProgram(config: ResolvedConfig, name: string): void {
  const view = viewOf(config);
  const candidates = pathsOf(name, config);
  let denied: Why | undefined;
  for (const path of candidates) {
    const at = look(view, path);
    if (at === "unknown") return;
    if (at === "loop")
      throw notExecutable(
        name,
        "leads round in a circle of symlinks",
        "Name where it should lead.",
      );
    if (at.kind === "missing" || at.kind === "memory") continue;
    const why = whyNotExecutable(at);
    if (why === undefined) return assertFormat(view, name, at);
    denied ??= why;
  }
  if (denied !== undefined) throw notExecutable(name, ...denied);
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

/** The PATH of execvp(3) in glibc where the environment has none. */
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
function look(view: View, path: string): Located | "unknown" | "loop" {
  try {
    const at = locate(view, path);
    return at.kind === "memory" && inProc(view, at.path) ? "unknown" : at;
  } catch (error) {
    return errnoOf(error) === "ELOOP" ? "loop" : "unknown";
  }
}

function inProc(view: View, path: string): boolean {
  return [...view.mounts.values()].some(
    ({ type, target }) => type === "proc" && path.startsWith(`${target}/`),
  );
}

/** What is wrong with a program, and what helps. */
type Why = readonly [what: string, hint: string];

function whyNotExecutable({ kind, host }: Located): Why | undefined {
  if (kind === "directory") return ["is a directory", "Name a program that lies in it."];
  const stat = host === undefined ? undefined : statSync(host, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isFile())
    return ["is not a regular file", "Name a program, or a script."];
  return stat !== undefined && (stat.mode & 0o111) === 0
    ? ["has no execute permission", "Set it with `chmod +x`, or name its interpreter first."]
    : undefined;
}

/** How many interpreters that are scripts themselves execve(2) follows. */
const MAX_INTERPRETERS = 5;

/** Checks the interpreter of a program: for a missing one, the kernel says that the program itself does not exist. */
function assertFormat(view: View, name: string, { host }: Located, depth = 0): void {
  const format = host === undefined ? undefined : formatOf(host);
  if (format === undefined) return;
  if (format.fault !== undefined) throw notExecutable(name, ...format.fault);
  const { interpreter } = format;
  if (interpreter === undefined || !interpreter.startsWith("/")) return;
  const at = look(view, interpreter);
  if (at === "unknown" || at === "loop") return;
  const needs = `needs the interpreter ${JSON.stringify(interpreter)}, which`;
  const why = at.kind === "file" ? whyNotExecutable(at) : MISSING;
  if (why !== undefined) throw notExecutable(name, `${needs} ${why[0]}`, why[1]);
  if (depth === MAX_INTERPRETERS)
    throw notExecutable(name, `${needs} needs another, and so on`, "Name one that is a program.");
  if (format.isScript) assertFormat(view, name, at, depth + 1);
}

const HINT_FORMAT = "Begin a script with `#!` and its interpreter, or name the interpreter first.";

const MISSING: Why = ["does not exist inside", "Put it into the root, or bind it there."];

function notExecutable(name: string, why: string, hint: string): SandboxError {
  return new SandboxError("COMMAND_NOT_EXECUTABLE", `command: ${JSON.stringify(name)} ${why}`, {
    path: "command",
    hint,
  });
}

/** What execve(2) will make of a file. */
interface Format {
  readonly isScript: boolean;
  /** The program that is started in its place, or loads it. */
  readonly interpreter?: string | undefined;
  /** Why the kernel will refuse it, where that is certain. */
  readonly fault?: Why | undefined;
}

/** The format of an executable file; undefined when only the kernel can tell. */
function formatOf(file: string): Format | undefined {
  const head = headOf(file);
  if (head === undefined) return undefined;
  if (head.toString("latin1", 0, 2) === "#!") return scriptFormat(head);
  if (head.length >= ELF_HEADER && head.readUInt32BE(0) === ELF)
    return { isScript: false, interpreter: elfInterpreter(head), fault: foreign(head) };
  if (process.platform !== "linux" || hasOtherFormats()) return undefined;
  // execvp(3) would run it with a shell, whose errors would look like output of the program.
  const what = head.length === 0 ? "is empty" : "has neither `#!` nor a known binary format";
  return { isScript: false, fault: [what, HINT_FORMAT] };
}

const ELF = 0x7f454c46;
/** In bytes: the size of the shorter header, that of 32 bits. */
const ELF_HEADER = 52;

function headOf(file: string): Buffer | undefined {
  const head = Buffer.alloc(4096);
  try {
    // A hostile root may have put a FIFO or a symlink there since it was looked at.
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const length = readSync(fd, head);
    closeSync(fd);
    return head.subarray(0, length);
  } catch {
    return undefined; // Executable, but not readable.
  }
}

/** The kernel reads the first 256 bytes. */
function scriptFormat(head: Buffer): Format {
  const line = head.toString("latin1", 0, Math.min(head.length, 256));
  const interpreter = /^#![ \t]*([^ \t\n\0]+)/.exec(line)?.[1];
  return {
    isScript: true,
    interpreter,
    ...(interpreter === undefined && {
      fault: ["has no interpreter behind its `#!`", HINT_FORMAT] as const,
    }),
  };
}

/** The numbers of elf(5) for the machines whose programs a kernel for each architecture of Node runs. */
const MACHINES: Partial<Readonly<Record<NodeJS.Architecture, readonly number[]>>> = {
  x64: [62, 3],
  ia32: [3],
  arm64: [183, 40],
  arm: [40],
  riscv64: [243],
  ppc64: [21, 20],
  s390x: [22],
};

const NAMES: Readonly<Record<number, string>> = {
  3: "i386",
  8: "mips",
  20: "powerpc",
  21: "powerpc64",
  22: "s390x",
  40: "arm",
  62: "x86_64",
  183: "aarch64",
  243: "riscv",
};

/** What is wrong with a program for another machine, where no emulator may be registered for it. */
function foreign(head: Buffer): Why | undefined {
  const own = MACHINES[process.arch];
  const machine = head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18);
  if (own === undefined || own.includes(machine)) return undefined;
  if (process.platform !== "linux" || hasOtherFormats()) return undefined;
  const [its, ours] = [machine, own[0] ?? 0].map((each) => NAMES[each] ?? `machine ${each}`);
  return [
    `is a program for ${its}, and this machine is ${ours} (exec format error)`,
    "Use a build of it for this machine, or register an emulator (binfmt_misc).",
  ];
}

/** The PT_INTERP of elf(5), for 64 bits and little-endian. */
function elfInterpreter(head: Buffer): string | undefined {
  if (head.length < 64 || head[4] !== 2 || head[5] !== 1) return undefined;
  const [offset, size, count] = [
    Number(head.readBigUInt64LE(32)),
    head.readUInt16LE(54),
    head.readUInt16LE(56),
  ];
  for (let index = 0; index < count; index += 1) {
    const header = offset + index * size;
    if (header + 56 > head.length) return undefined;
    if (head.readUInt32LE(header) !== 3) continue;
    const [from, bytes] = [
      Number(head.readBigUInt64LE(header + 8)),
      Number(head.readBigUInt64LE(header + 32)),
    ];
    return from + bytes <= head.length
      ? head.toString("latin1", from, from + bytes - 1)
      : undefined;
  }
  return undefined;
}

/** Formats that somebody has registered: binfmt_misc of the kernel. */
function hasOtherFormats(): boolean {
  const directory = "/proc/sys/fs/binfmt_misc";
  if (!existsSync(`${directory}/status`)) return false;
  return readdirSync(directory).some(
    (name) =>
      name !== "register" &&
      name !== "status" &&
      readFileSync(`${directory}/${name}`, "latin1").startsWith("enabled"),
  );
}
