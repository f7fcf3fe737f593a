import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import type { Host } from "../backend/backend.js";

/** A pipe: its end to read from, and its end to write to. */
export type Pipe = readonly [read: number, write: number];

/**
 * Makes a pipe. Node itself makes pairs of sockets only, which no program can open by the name of /dev/stdin or
 * /dev/stdout, and which bash takes for a remote login. Undefined where none can be had, and in a worker thread, at
 * whose end Node closes by number what was opened in it.
 */
export function takePipe(host: Host): Pipe | undefined {
  if (!isMainThread || process.platform !== "linux") return undefined;
  if (spare.length === 0) spare.push(...makePipes(host));
  return spare.pop();
}

/** Pipes that were made ahead. Each is used once, so that no program reads what another one has left in it. */
const spare: Pipe[] = [];

/** A shell makes a pipe for each here-document. It can name only fds of one digit. */
const FDS = [3, 4, 5, 6, 7, 8, 9] as const;
const SCRIPT = `exec ${FDS.map((fd) => `${fd}<<E`).join(" ")}\n${"E\n".repeat(FDS.length)}read -r line`;

/** Has a shell make pipes, and opens both ends of each by its name in /proc while the shell holds it. */
function makePipes(host: Host): Pipe[] {
  const sh = host.which("sh");
  if (sh === undefined) return [];
  const child = spawn(sh, ["-c", SCRIPT], {
    env: {},
    cwd: "/",
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.on("error", () => undefined).unref();
  try {
    if (child.pid === undefined || !isReady(child.pid)) return [];
    return FDS.flatMap((fd) => bothEnds(`/proc/${child.pid}/fd/${fd}`) ?? []);
  } finally {
    endOf(child);
  }
}

function endOf(child: ChildProcess): void {
  child.stdin?.on("error", () => undefined).destroy();
  child.kill("SIGKILL");
}

/** Waits a second at most, which it has never taken. */
function isReady(pid: number): boolean {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (let waits = 0; waits < 5000; waits += 1) {
    const fd = attempt(`/proc/${pid}/fd/${FDS.at(-1)}`, constants.O_RDONLY);
    if (fd !== undefined) {
      closeSync(fd);
      return true;
    }
    Atomics.wait(clock, 0, 0, 0.2);
  }
  return false;
}

/** Undefined for a file, which some shells use for a here-document instead. */
function bothEnds(path: string): Pipe[] | undefined {
  const read = attempt(path, constants.O_RDONLY);
  if (read === undefined) return undefined;
  const write = fstatSync(read).isFIFO() ? attempt(path, constants.O_WRONLY) : undefined;
  if (write !== undefined) return [[read, write]];
  closeSync(read);
  return undefined;
}

function attempt(path: string, flags: number): number | undefined {
  try {
    return openSync(path, flags);
  } catch {
    return undefined;
  }
}
