import { spawn } from "node:child_process";
import { closeSync, fstatSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { realHost } from "@sandboxlib/core/backend";
import { invalidImage } from "../errors.js";
import type { ImageOptions } from "../image.js";

/** A lock. It ends when it is released or the process dies, however it dies. */
export interface Lock {
  release(): void;
}

/**
 * The mode of lock files. flock(2) locks every file that can be opened, also for reading only, so a program that sees the
 * host read-only could lock every file that it can read. Nobody can read a file of this mode, and only its owner can write
 * to it.
 */
const MODE = 0o200;
/** How long a caller waits before `onWait` is called, in milliseconds. */
const NOTIFY_AFTER = 1000;
/** How long a caller waits in all, in milliseconds. */
const LONGEST_WAIT = 600_000;

/**
 * Waits for a lock of the kernel's, flock(2), on a file. This process opens the file, and flock(1) locks it: the lock
 * belongs to the open file, so it stays when the tool has ended, and goes when this process closes the file or dies. No
 * lock is ever stale. Where flock(1) is not installed nobody waits: two processes may then unpack the same image, and one
 * of the two results is thrown away.
 *
 * @param longestWait - In milliseconds.
 * @throws SandboxError `IMAGE_INVALID` when the lock is not free in that time; the reason of `signal`.
 */
export async function lock(
  directory: string,
  name: string,
  { signal, onWait }: Pick<ImageOptions, "signal" | "onWait">,
  longestWait: number = LONGEST_WAIT,
): Promise<Lock> {
  const path = join(directory, name);
  const fd = open(path);
  const notify = setTimeout(() => onWait?.(path), NOTIFY_AFTER);
  try {
    const flock = realHost().which("flock");
    const isTimedOut = flock !== undefined && (await lockTimesOut(longestWait, flock, fd, signal));
    signal?.throwIfAborted();
    if (isTimedOut) throw stillLocked(path, longestWait);
    return { release: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  } finally {
    clearTimeout(notify);
  }
}

function open(path: string): number {
  const fd = openSync(path, "a", MODE);
  if ((fstatSync(fd).mode & 0o777) === MODE) return fd;
  // Lock files of version 0.1.0 could be read, so any program might have this one open.
  closeSync(fd);
  rmSync(path, { force: true });
  return openSync(path, "a", MODE);
}

/** Runs flock(1), and kills it when the time is over. @returns whether it was. */
function lockTimesOut(
  longestWait: number,
  flock: string,
  fd: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(flock, ["-x", "3"], {
      env: {},
      cwd: "/",
      stdio: ["ignore", "ignore", "ignore", fd],
      killSignal: "SIGKILL",
      ...(signal !== undefined && { signal }),
    });
    let isTimedOut = false;
    const timer = setTimeout(() => {
      isTimedOut = child.kill("SIGKILL");
    }, longestWait);
    const end = (): void => {
      clearTimeout(timer);
      resolve(isTimedOut);
    };
    child.on("error", end).on("exit", end);
  });
}

function stillLocked(path: string, longestWait: number): Error {
  return invalidImage(
    `${path} is still locked after ${longestWait / 1000} s`,
    `\`fuser ${path}\` names who holds it. If that is not unpacking an image, end it, or remove the file: it is made again.`,
  );
}
