import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { SandboxError } from "../result/error.js";

/**
 * Starts a tool of the host in a session of its own: no controlling terminal to inject input into, and one group to
 * end the tool by.
 *
 * @throws SandboxError `LAUNCH_FAILED`; that there is no such tool comes as an `error` event, as Node has it.
 */
export function spawnTool(
  [program, ...args]: readonly [string, ...string[]],
  options: SpawnOptions,
): ChildProcess {
  try {
    return withPipes(spawn(program, args, { ...options, cwd: "/", detached: true }));
  } catch (cause) {
    const tooLong = cause instanceof Error && "code" in cause && cause.code === "E2BIG";
    const why = tooLong ? TOO_LONG : String(cause);
    throw new SandboxError("LAUNCH_FAILED", `${program} cannot be started: ${why}`, {
      ...(tooLong && { hint: HINT_TOO_LONG }),
      cause,
    });
  }
}

/** What E2BIG of execve(2) means. */
export const TOO_LONG = "its arguments and its environment are too long (E2BIG)";

/** What to do about E2BIG of execve(2). */
export const HINT_TOO_LONG =
  "Shorten the command or the environment, or hand the words over in a file: the kernel takes 128 KiB a word, 2 MiB in all.";

/** Node makes no pipes when there are no fds left, and says so in an event only. */
function withPipes(child: ChildProcess): ChildProcess {
  if ((child.stdio as unknown) !== undefined) return child;
  child.on("error", () => undefined);
  throw new Error("this process has too many files open");
}
