import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { SandboxError } from "../result/error.js";

const O_CLOEXEC = 0o2000000;

/**
 * The fds above 2 of this process that every child would inherit. Node opens its own close-on-exec and hides the low
 * ones that it was started with, but not the high ones. Only Linux tells; elsewhere the list is empty.
 *
 * @param known - Fds that were seen to be closed on exec, so that a run need not look at them again; added to.
 */
export function inheritedFds(known: Set<number>): number[] {
  return openFds().filter((fd) => {
    if (fd <= 2 || known.has(fd)) return false;
    const flags = flagsOf(fd);
    if (flags === undefined) return false;
    if ((flags & O_CLOEXEC) === 0) return true;
    known.add(fd);
    return false;
  });
}

function openFds(): number[] {
  try {
    return readdirSync("/proc/self/fd").map(Number);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return [];
    // Without a look, an fd of ours might be handed on.
    throw new SandboxError("LAUNCH_FAILED", `the open fds cannot be listed: ${String(cause)}`, {
      cause,
    });
  }
}

/** Undefined for the fd that listed the directory, which is closed by now. */
function flagsOf(fd: number): number | undefined {
  const path = `/proc/self/fdinfo/${fd}`;
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  const [, octal] = /^flags:\s+([0-7]+)$/m.exec(readFileSync(path, "latin1")) ?? [];
  return octal === undefined ? undefined : Number.parseInt(octal, 8);
}
