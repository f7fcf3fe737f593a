import { spawn } from "node:child_process";
import { closeSync, fstatSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { realHost } from "@sandboxlib/core";
import type { ImageOptions } from "../image.js";
import { invalidImage } from "../invalid.js";

/** Held until it is released or the process dies, however it dies. */
export interface Lock {
  release(): void;
}

/**
 * flock(2) takes any file that is open, also for reading only: a program that sees the host read-only could lock what
 * it can read. So nobody can read it, and its owner alone can write to it.
 */
const MODE = 0o200;
/** In milliseconds: when whoever waits is told, and when it is given up. */
const TELL = 1000;
const LIMIT = 600_000;

/**
 * Waits for a lock of the kernel's, flock(2), on a file. flock(1) takes it on a file that is open here: the lock stays with the
 * open file when the tool has gone, and goes with the last process that has it open, so none is ever stale. Where there
 * is no such tool nobody waits: an image may then be unpacked twice, and one of the two is thrown away.
 *
 * @param limit - How long, in milliseconds.
 * @throws SandboxError `IMAGE_INVALID` when it cannot be had in that time; the reason of `signal`.
 */
export async function lock(
  directory: string,
  name: string,
  { signal, onWait }: Pick<ImageOptions, "signal" | "onWait">,
  limit: number = LIMIT,
): Promise<Lock> {
  const path = join(directory, name);
  const fd = open(path);
  const tell = setTimeout(() => onWait?.(path), TELL);
  try {
    const tool = realHost().which("flock");
    const isLate = tool !== undefined && (await isLateAfter(limit, tool, fd, signal));
    signal?.throwIfAborted();
    if (isLate) throw late(path, limit);
    return { release: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  } finally {
    clearTimeout(tell);
  }
}

function open(path: string): number {
  const fd = openSync(path, "a", MODE);
  if ((fstatSync(fd).mode & 0o777) === MODE) return fd;
  // One of version 0.1.0 could be read, and who knows who has it.
  closeSync(fd);
  rmSync(path, { force: true });
  return openSync(path, "a", MODE);
}

/** Waits for flock(1), which is ended when it takes too long. */
function isLateAfter(
  limit: number,
  tool: string,
  fd: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(tool, ["-x", "3"], {
      env: {},
      cwd: "/",
      stdio: ["ignore", "ignore", "ignore", fd],
      killSignal: "SIGKILL",
      ...(signal !== undefined && { signal }),
    });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = child.kill("SIGKILL");
    }, limit);
    const end = (): void => {
      clearTimeout(timer);
      resolve(isLate);
    };
    child.on("error", end).on("exit", end);
  });
}

function late(path: string, limit: number): Error {
  return invalidImage(
    `${path} is still locked after ${limit / 1000} s`,
    `\`fuser ${path}\` names who holds it. If that is not unpacking an image, end it, or remove the file: it is made again.`,
  );
}
