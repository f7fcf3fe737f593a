import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Writable } from "node:stream";
import type { Host, HostFd, HostRun, HostRunOptions } from "../backend/backend.js";
import { onAbort } from "./abort.js";
import { filter } from "./seccomp-filter.js";

/**
 * The machine that this process runs on. Programs come from directories that only the administrator writes to,
 * never from `PATH` or the working directory: a sandbox must not run the untrusted project's code to set itself up.
 *
 * @param signal - Ends what `run` has started.
 */
export function realHost(signal?: AbortSignal): Host {
  return {
    platform: process.platform,
    uid: process.getuid?.() ?? -1,
    gid: process.getgid?.() ?? -1,
    which: (program) => TRUSTED.map((directory) => join(directory, program)).find(isTrustedProgram),
    run: (argv, how) => run(argv, how, signal),
  };
}

const TRUSTED = [
  "/usr/bin",
  "/usr/sbin",
  "/bin",
  "/sbin",
  "/usr/local/bin",
  "/usr/local/sbin",
  "/run/current-system/sw/bin",
];
const TIME_LIMIT = 10_000;
const OUTPUT_LIMIT = 65_536;

/** Executable, and written only by the owner of the system or by the one who runs it anyway. */
function isTrustedProgram(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile() || (stat.mode & 0o111) === 0) return false;
  // In a user namespace that does not map root, its files belong to the overflow uid, as `/` does.
  const owners = [0, statSync("/").uid, process.getuid?.()];
  return owners.includes(stat.uid) && (stat.mode & 0o022) === 0;
}

function run(
  [program, ...args]: readonly [string, ...string[]],
  { env = {}, fds = {} }: HostRunOptions = {},
  signal: AbortSignal | undefined,
): Promise<HostRun> {
  return new Promise((resolve) => {
    // A session of its own, so that a probe which hangs is ended with everything that it started.
    let child: ChildProcess;
    try {
      child = spawn(program, args, {
        env: { ...env },
        cwd: "/",
        detached: true,
        stdio: slotsFor(fds),
      });
    } catch {
      // A filter of system calls around this process may forbid to start anything.
      return resolve({ exitCode: undefined, stdout: "", stderr: "" });
    }
    feed(child, fds);
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.setEncoding("utf8").on("data", (text: string) => {
        output[name] = (output[name] + text).slice(0, OUTPUT_LIMIT);
      });
    }
    const end = (): void => endGroup(child.pid);
    const timer = setTimeout(end, TIME_LIMIT);
    const offAbort = onAbort(signal, end);
    const finish = (exitCode: number | null | undefined): void => {
      clearTimeout(timer);
      offAbort();
      resolve({ exitCode: exitCode ?? undefined, ...output });
    };
    child.on("error", () => finish(undefined));
    child.on("close", finish);
  });
}

/** The standard streams, and as many fds above as are given. Node leaves an `ignore` among these closed. */
function slotsFor(fds: NonNullable<HostRunOptions["fds"]>): ("pipe" | "ignore")[] {
  const given = Object.keys(fds).map(Number);
  return Array.from({ length: Math.max(3, ...given.map((fd) => fd + 1)) }, (_, fd) =>
    fd === 1 || fd === 2 || given.includes(fd) ? "pipe" : "ignore",
  );
}

function feed({ stdio }: ChildProcess, fds: Readonly<Record<number, HostFd>>): void {
  for (const [fd, content] of Object.entries(fds)) {
    const pipe = stdio[Number(fd)] as Writable | null | undefined;
    // A tool that ends early closes its end: its exit says why.
    pipe?.on("error", () => undefined).end(content === "filter" ? filter() : content.data);
  }
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}

/** A command of the host, with its arguments. */
export type HostCommand = readonly [string, ...string[]];

/** Runs a command of the host to its end, for at most ten seconds. Undefined when it worked, else the reason. */
export async function runHostCommand(command: HostCommand): Promise<string | undefined> {
  const { exitCode, stderr } = await realHost().run(command);
  if (exitCode === 0) return undefined;
  const silent =
    exitCode === undefined ? "it was killed, or never started" : `exit status ${exitCode}`;
  return stderr.trim() || silent;
}

/** As {@link runHostCommand}, for a caller that cannot wait. It blocks the event loop. */
export function runHostCommandNow([program, ...args]: HostCommand): string | undefined {
  const { status, stderr, error } = spawnSync(program, args, {
    env: {},
    cwd: "/",
    stdio: ["ignore", "ignore", "pipe"],
    timeout: 10_000,
    killSignal: "SIGKILL",
  });
  if (status === 0) return undefined;
  return error?.message ?? (stderr.toString().trim() || `exit status ${status}`);
}

/**
 * A small text file, such as those of the kernel, without the newline at its end; undefined when it is not there or
 * cannot be read. As UTF-8, which Node reads without a buffer of 64 KiB.
 */
export function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trimEnd();
  } catch {
    return undefined;
  }
}

/** `ENOENT` and the like, or what else there is to say of an error. */
export function errnoOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string")
    return error.code;
  return String(error);
}
