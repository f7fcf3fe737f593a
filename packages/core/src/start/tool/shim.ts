import { lstatSync, readdirSync, readFileSync } from "node:fs";
import type { Host } from "../../backend/backend.js";
import { SandboxError } from "../../result/error.js";

type Argv = readonly [string, ...string[]];

/**
 * Wraps a command in a shell where something is to be done to its fds that Node cannot do: close those that it would
 * inherit, and let standard error follow standard output. The command itself is never read by the shell.
 *
 * With a `gate`, an fd, the command starts when a line comes from there, and not when that ends without one.
 *
 * @throws SandboxError `LAUNCH_FAILED` when a high fd must be closed and there is no bash to do it.
 */
export function shim(
  argv: Argv,
  inherited: readonly number[],
  merge: boolean,
  host: Host,
  { SHLVL }: Readonly<Record<string, string>>,
  gate?: number,
): Argv {
  if (inherited.length === 0 && !merge && gate === undefined) return argv;
  const closed = gate === undefined ? inherited : [...inherited, gate];
  const redirections = [...(merge ? ["2>&1"] : []), ...closed.map((fd) => `${fd}>&-`)];
  const wait = gate === undefined ? "" : `read -r line <&${gate} && `;
  const script = `${wait}exec "$@" ${redirections.join(" ")}`;
  // bash sets this variable as it executes something, and the environment is the program's where the tool hands it on.
  const level = SHLVL === undefined ? ["-u", "SHLVL"] : [`SHLVL=${SHLVL}`];
  const env = host.which("env");
  const words = env === undefined ? argv : [env, ...level, ...argv];
  return [...shellFor(closed, host), "-c", script, "sh", ...words];
}

/**
 * POSIX gives a shell the fds up to 9; bash takes any. bash is told to read no start-up file, since it takes a socket
 * on standard input, which is what Node makes of a pipe, for a remote login.
 */
function shellFor(inherited: readonly number[], host: Host): Argv {
  const high = inherited.find((fd) => fd > 9);
  const shell = host.which(high === undefined ? "sh" : "bash");
  if (shell !== undefined)
    return high === undefined ? [shell] : [shell, "--norc", "--noprofile", "-p"];
  throw new SandboxError(
    "LAUNCH_FAILED",
    high === undefined
      ? "there is no sh on this host to redirect the standard streams"
      : `this process was started with fd ${high} open, and the program would inherit it`,
    { hint: "Close the fd where this process is started, or install bash, which can close it." },
  );
}

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
  const [, octal] = /^flags:\s+([0-7]+)$/m.exec(readFileSync(path, "utf8")) ?? [];
  return octal === undefined ? undefined : Number.parseInt(octal, 8);
}
