import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { realHost } from "@sandboxlib/core";

/** Held until it is released or the process dies, however it dies. */
export interface Lock {
  release(): void;
}

/**
 * Waits for a lock of the kernel's, flock(2), on a file. flock(1) takes it on a file that is open here: the lock stays with the
 * open file when the tool has gone, and goes with the last process that has it open, so none is ever stale. Where there
 * is no such tool nobody waits: an image may then be unpacked twice, and one of the two is thrown away.
 */
export async function lock(directory: string, name: string): Promise<Lock> {
  const fd = openSync(join(directory, name), "a", 0o600);
  const tool = realHost().which("flock");
  if (tool !== undefined) await run(tool, fd);
  return { release: () => closeSync(fd) };
}

function run(tool: string, fd: number): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(tool, ["-x", "3"], {
      env: {},
      cwd: "/",
      stdio: ["ignore", "ignore", "ignore", fd],
    });
    child.on("error", () => resolve());
    child.on("exit", () => resolve());
  });
}
