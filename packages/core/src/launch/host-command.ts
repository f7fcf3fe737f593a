import { spawnSync } from "node:child_process";

/** A command of the host, with its arguments. */
export type HostCommand = readonly [string, ...string[]];

/** Runs a command of the host to its end, for at most ten seconds. Undefined when it worked, else the reason. */
export function runHostCommand([program, ...args]: HostCommand): string | undefined {
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
