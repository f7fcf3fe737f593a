import { spawnSync } from "node:child_process";
import { realHost } from "./host.js";

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
