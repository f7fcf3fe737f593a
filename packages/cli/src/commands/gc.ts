import { gc as collect } from "@sandboxlib/core";
import { assertUsable, type CommandLine } from "../command-line.js";
import type { Io } from "../io.js";
import { printable } from "../printable.js";

/** Takes back what runs that were killed have left on the host. */
export async function gc(line: CommandLine, { stdout, stderr }: Io): Promise<number> {
  assertUsable(line);
  const { undone, failed, unsure } = collect();
  for (const step of undone) stdout.write(`${printable(step)}\n`);
  for (const failure of failed) stderr.write(`sandboxlib: ${printable(failure)}\n`);
  for (const step of unsure) {
    stderr.write(
      `sandboxlib: a run died just before or after what this takes back, decide yourself: ${printable(step)}\n`,
    );
  }
  if (undone.length + failed.length + unsure.length === 0)
    stdout.write("Nothing was left behind.\n");
  return failed.length === 0 ? 0 : 1;
}
