import { type ChildProcess, spawn } from "node:child_process";

/** What became of a command that was tried. */
export type Attempt =
  | { readonly state: "worked" }
  /** `said`: its standard error, or why it could not be started. */
  | { readonly state: "refused"; readonly said: string }
  | { readonly state: "hung"; readonly seconds: number };

/**
 * Tries a command in a process of its own. One that does not end in time is killed with all that it started in its session,
 * and is waited for no longer: it may be stuck in the kernel, or what left its session may hold its streams.
 *
 * @param seconds - The time that it has.
 */
export function attempt(
  [program, ...args]: readonly [string, ...string[]],
  seconds = 10,
): Promise<Attempt> {
  return new Promise((resolve) => {
    let child: ChildProcess;
    try {
      // Without the locale of the caller: what tools say is searched for the names of errors.
      child = spawn(program, args, { env: {}, cwd: "/", detached: true, stdio: [...STDIO] });
    } catch (error) {
      // A filter of system calls around this process may forbid to start anything.
      return resolve({ state: "refused", said: String(error) });
    }
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(0, LIMIT);
    });
    const timer = setTimeout(() => {
      abandon(child);
      resolve({ state: "hung", seconds });
    }, seconds * 1000);
    const finish = (found: Attempt): void => {
      clearTimeout(timer);
      resolve(found);
    };
    child.on("error", (error) => finish({ state: "refused", said: error.message }));
    child.on("close", (code, signal) =>
      finish(
        code === 0
          ? { state: "worked" }
          : { state: "refused", said: said.trim() || `it ended with ${code ?? signal}` },
      ),
    );
  });
}

const STDIO = ["ignore", "ignore", "pipe"] as const;
const LIMIT = 65_536;

function abandon(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
  child.stderr?.destroy();
  child.unref();
}
