import {
  closeSync,
  fchmodSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { resolve } from "node:path";
import { assertUsable, type CommandLine, valueOf } from "../command-line.js";
import { CliError } from "../errors.js";
import { withOrigin } from "../origins.js";
import type { Io } from "../output.js";
import { droppedLines } from "../report-run.js";
import { sandboxFromLine } from "../sandbox-from-line.js";

/** Writes what the launcher needs to run commands without Node, and prints the words that start one. */
export async function plan(line: CommandLine, io: Io): Promise<number> {
  assertUsable(line);
  const to = valueOf(line, "output");
  if (to === undefined) throw new CliError("--output: is missing: where is the plan to be?");
  if (line.bytes !== undefined)
    throw new CliError("COMMAND: holds bytes that are not UTF-8", {
      hint: "Give the command to the launcher.",
    });
  const request = await sandboxFromLine(line, io, {
    reason: ", of which there is no plan",
    hint: "A plan takes a directory that stays where it is.",
  });
  const { sandbox, close } = await request.open();
  try {
    const bytes = sandbox.planFile();
    io.stderr.write(droppedLines(sandbox));
    writePlan(resolve(to), bytes);
    const [launcher] = sandbox.plan.kind === "launcher" ? sandbox.plan.argv : [""];
    io.stdout.write(`${[launcher, "run", resolve(to)].map(quoted).join(" ")} --\n`);
    return 0;
  } catch (error) {
    throw withOrigin(error, request.written.origins);
  } finally {
    await close();
  }
}

/** At once, so that a reader finds all of it; and for its owner alone to write to, whatever the umask is. */
function writePlan(path: string, bytes: Uint8Array): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isFile())
    throw new CliError(`--output: ${JSON.stringify(path)} is there, and is no file`);
  const temporary = `${path}.${process.pid}`;
  try {
    const fd = openSync(temporary, "wx", 0o600);
    try {
      writeFileSync(fd, bytes);
      fchmodSync(fd, 0o600);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new CliError(`--output: ${JSON.stringify(path)} cannot be written: ${reason}`);
  }
}

/** A word for a shell. */
function quoted(word: string): string {
  return /^[\w./@%+:,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
