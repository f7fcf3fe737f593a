import { configJsonSchema } from "@sandboxlib/core";
import { assertUsable, type CommandLine } from "../command-line.js";
import { type Io, printableJson } from "../output.js";

/** Prints the JSON Schema of the config. */
export async function schema(line: CommandLine, { stdout }: Io): Promise<number> {
  assertUsable(line);
  stdout.write(printableJson(configJsonSchema()));
  return 0;
}
