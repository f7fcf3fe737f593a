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
  gate?: number,
): Argv {
  if (inherited.length === 0 && !merge && gate === undefined) return argv;
  const closed = gate === undefined ? inherited : [...inherited, gate];
  const redirections = [...(merge ? ["2>&1"] : []), ...closed.map((fd) => `${fd}>&-`)];
  const wait = gate === undefined ? "" : `read -r line <&${gate} && `;
  const script = `${wait}exec "$@" ${redirections.join(" ")}`;
  return [...shellFor(closed, host), "-c", script, "sh", ...argv];
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
