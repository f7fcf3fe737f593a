import { statSync } from "node:fs";
import type { ResolvedConfig } from "../backend/resolved-config.js";
import { SandboxError } from "../result/error.js";
import { formatOf } from "./format.js";
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
    return error instanceof Error && "code" in error && error.code === "ELOOP" ? "loop" : "unknown";
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
  if (format.fault !== undefined) throw notExecutable(name, format.fault, HINT_FORMAT);
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
