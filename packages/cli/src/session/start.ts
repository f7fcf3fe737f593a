import { spawn } from "node:child_process";
import { assertUsable, type CommandLine } from "../command-line.js";
import { CliError } from "../errors.js";
import type { Io } from "../output.js";
import type { Told } from "./daemon.js";
import { newPlace } from "./place.js";

/** Tells the process that this one starts that it is to hold the session, and where. */
const SOCKET = "SANDBOXLIB_SESSION_SOCKET";

/** Starts a process that holds a new session, and prints the name of the session once commands can be run in it. */
export async function start(line: CommandLine, io: Io): Promise<number> {
  assertUsable(line);
  if (line.program.length > 0)
    throw new CliError(`${JSON.stringify(line.program[0])}: a session starts without a command`, {
      hint: "Run it with `sandboxlib session exec NAME -- COMMAND`.",
    });
  const { [SOCKET]: given, ...env } = process.env;
  if (given !== undefined && process.send !== undefined) {
    delete process.env[SOCKET];
    return (await import("./daemon.js")).keepSession(line, io, given);
  }
  const { name, path } = newPlace();
  const told = await holding({ ...env, [SOCKET]: path });
  if (!("notes" in told)) throw new CliError(told.message, told);
  if (!line.options.has("quiet")) io.stderr.write(told.notes);
  io.stdout.write(`${name}\n`);
  return 0;
}

/** Starts this command line once more, with nothing of the caller's open, in a session of its own. */
async function holding(env: NodeJS.ProcessEnv): Promise<Told> {
  const child = spawn(process.execPath, [...process.execArgv, "--", ...process.argv.slice(1)], {
    detached: true,
    env,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  try {
    return await new Promise<Told>((resolve, reject) => {
      child.once("message", (told) => resolve(told as Told));
      child.once("error", reject);
      child.once("exit", (code, signal) =>
        reject(
          new CliError(`the process that holds the session has ended: ${signal ?? code}`, {
            exitCode: 125,
          }),
        ),
      );
    });
  } finally {
    if (child.connected) child.disconnect();
    child.unref();
  }
}
