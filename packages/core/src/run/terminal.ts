import { readFileSync } from "node:fs";
import type { PlanFd } from "../backend/plan.js";
import type { ResolvedConfig } from "../backend/resolved-config.js";
import type { WindowSize } from "../backend/running.js";
import { invalidOption } from "../config/options.js";
import { SandboxError } from "../result/error.js";
import type { Prepared } from "../start/prepared.js";
import { isFed, type StdioOptions } from "./options.js";

/**
 * Checks the options of a run with a terminal. Its one input and one output are pipes to this process, so that the program
 * gets nothing that leads to the caller's own terminal.
 *
 * @throws SandboxError `CONFIG_INVALID`
 */
export function assertTerminal(
  { mounts }: ResolvedConfig,
  { stdin = "discard", stdout = "capture", stderr = "stdout" }: StdioOptions,
): void {
  if (!mounts.some(({ type }) => type === "dev"))
    throw invalidOption("tty", "needs a mount of the type `dev`, in which the terminal is");
  if (stdin !== "pipe" && stdin !== "discard" && !isFed(stdin))
    throw invalidOption(
      "stdin",
      "a terminal takes its input from `pipe`, `data`, `stream` or `discard`",
    );
  if (stdout !== "capture" && stdout !== "pipe" && stdout !== "discard")
    throw invalidOption("stdout", "a terminal gives its output to `pipe`, `capture` or `discard`");
  if (stderr !== "stdout")
    throw invalidOption("stderr", "a terminal has one output, which is `stdout`");
}

/** Sets standard error to the one output of a terminal, unless the caller has set it to something else. */
export function forTerminal<Options extends StdioOptions>(
  options: Options,
  window: WindowSize | undefined,
): Options {
  return window === undefined ? options : { ...options, stderr: options.stderr ?? "stdout" };
}

/**
 * Refuses a terminal that is the controlling one of no session, or of another: the program could make it its own and type
 * into it (TIOCSTI) what the caller's shell reads afterwards. It cannot do that with the terminal of this process's
 * session, or where the backend filters system calls.
 *
 * @throws SandboxError `LAUNCH_FAILED`
 */
export function assertOwnTerminal({ plan, backend }: Prepared, path: string, device: number): void {
  // The launcher has a filter of its own, and an engine gets no fd of this process.
  if (plan.kind !== "tool" || hasFilter(Object.values(plan.fds ?? {}))) return;
  if (process.platform !== "linux" || isControlling(device)) return;
  const message = `${path}: is a terminal that does not control this process's session, and the program could type into it`;
  throw new SandboxError("LAUNCH_FAILED", message, {
    path,
    backend,
    hint: "Redirect it, or use a backend that filters system calls, such as namespaces.",
  });
}

function hasFilter(fds: readonly PlanFd[]): boolean {
  return fds.some((fd) => fd === "filter" || (typeof fd === "object" && "filter" in fd));
}

/** Whether it is the terminal of this session: itself, or /dev/tty. */
function isControlling(device: number): boolean {
  const stat = readFileSync("/proc/self/stat", "latin1");
  // proc(5): the name, which may hold anything, is in brackets; `tty_nr` is the seventh field.
  const [, , , , terminal] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return device === DEV_TTY || device === Number(terminal) >>> 0;
}

const DEV_TTY = 0x5_00;
