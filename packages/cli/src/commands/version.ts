import { assertUsable, type CommandLine } from "../command-line.js";
import type { Io } from "../output.js";
import { printVersion } from "../version.js";

/** Prints the version, as --version does. */
export async function version(line: CommandLine, io: Io): Promise<number> {
  assertUsable(line);
  return printVersion(io);
}
