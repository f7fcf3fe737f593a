import { readFileSync } from "node:fs";
import type { PlanFd } from "../plan/plan.js";
import { SandboxError } from "../result/error.js";
import type { Prepared } from "./prepared.js";

/**
 * A terminal that controls no session can be made one's own, and then be typed into (TIOCSTI) what the caller's shell
 * reads afterwards. That of this process's own session cannot. Where the backend filters system calls, neither can.
 *
 * @throws SandboxError `LAUNCH_FAILED`
 */
export function assertOwnTerminal({ plan, backend }: Prepared, path: string, device: number): void {
  // The launcher has a filter of its own.
  if ("setup" in plan || hasFilter(Object.values(plan.fds ?? {}))) return;
  if (process.platform !== "linux" || isControlling(device)) return;
  const message = `${path}: is a terminal that does not control this process's session, and the program could type into it`;
  throw new SandboxError("LAUNCH_FAILED", message, {
    path,
    backend,
    hint: "Redirect it, or use a backend that filters system calls, such as namespaces.",
  });
}

function hasFilter(fds: readonly PlanFd[]): boolean {
  return fds.includes("filter");
}

/** /dev/tty leads to nothing else. */
function isControlling(device: number): boolean {
  const stat = readFileSync("/proc/self/stat", "latin1");
  // proc(5): the name, which may hold anything, is in brackets; `tty_nr` is the seventh field.
  const [, , , , terminal] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return device === DEV_TTY || device === Number(terminal) >>> 0;
}

const DEV_TTY = 0x5_00;
