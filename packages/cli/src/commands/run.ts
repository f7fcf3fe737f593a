import type { Sandbox, SandboxResult } from "@sandboxlib/core";
import type { End } from "../cli.js";
import { CliError } from "../cli-error.js";
import { assertUsable, type CommandLine, valueOf } from "../command-line.js";
import { configFromOptions } from "../config-from-options.js";
import { exitCodeOf } from "../exit-code.js";
import type { Io } from "../io.js";
import { printable, printableJson } from "../printable.js";
import { describeError } from "../report-error.js";
import { openResultFile } from "../result-file.js";
import { sandboxFrom } from "../sandbox-from-line.js";
import { forwardSignals } from "../signals.js";
import { callersTerminal } from "../terminal.js";

/** Runs a program in a sandbox and ends as that did. */
export async function run(line: CommandLine, io: Io): Promise<End> {
  const path = valueOf(line, "result-file");
  if (path === undefined) {
    return line.options.has("dry-run") ? dryRun(line, io) : endOf(await runProgram(line, io));
  }
  const file = openResultFile(path);
  let ran: Ran;
  try {
    ran = await runProgram(line, io);
  } catch (error) {
    file.write({ error: describeError(error) });
    throw error;
  }
  file.write(ran.result);
  return endOf(ran);
}

interface Ran {
  readonly result: SandboxResult;
  /** The signal that this process has got, and of which the run has ended. */
  readonly endedBy: NodeJS.Signals | undefined;
}

function endOf({ result, endedBy }: Ran): End {
  return endedBy ?? exitCodeOf(result);
}

async function dryRun(line: CommandLine, { stdout }: Io): Promise<number> {
  assertConsistent(line);
  const written = configFromOptions(line);
  assertProgram(written.config.command);
  const { backend, config, plan, dropped } = await sandboxFrom(line, written);
  stdout.write(printableJson({ backend, command: config.command, plan, dropped }));
  return 0;
}

async function runProgram(line: CommandLine, { stderr }: Io): Promise<Ran> {
  assertConsistent(line);
  const written = configFromOptions(line);
  assertProgram(written.config.command);
  const signals = forwardSignals();
  const terminal = line.options.has("tty") ? callersTerminal() : undefined;
  try {
    const sandbox = await sandboxFrom(line, written);
    if (!line.options.has("quiet")) stderr.write(droppedLines(sandbox));
    const child = sandbox.spawn(undefined, terminal?.options ?? INHERITED);
    signals.to(child);
    await terminal?.to(child);
    const result = await child.result;
    terminal?.restore();
    if (line.options.has("verbose")) stderr.write(enforcedLines(result));
    return { result, endedBy: signals.endedBy(result) };
  } finally {
    terminal?.restore();
    signals.stop();
  }
}

const INHERITED = { stdin: "inherit", stdout: "inherit", stderr: "inherit" } as const;

/** Pairs of options that contradict each other. */
const CONTRADICTIONS = [
  ["dry-run", "result-file"],
  ["quiet", "verbose"],
] as const;

function assertConsistent(line: CommandLine): void {
  assertUsable(line);
  const pair = CONTRADICTIONS.find((names) => names.every((name) => line.options.has(name)));
  if (pair !== undefined) throw new CliError(`--${pair[0]}: does not go with --${pair[1]}`);
}

function assertProgram(command: readonly string[] | undefined): void {
  if (command !== undefined) return;
  throw new CliError("COMMAND: there is none to run", {
    hint: "Write `-- COMMAND` for the host's own root, `ROOT COMMAND` for another one, or set `command` in the config.",
  });
}

function droppedLines({ dropped }: Sandbox): string {
  return dropped
    .map(({ capability, path, reason }) => `not enforced: ${capability} (${path}): ${reason}`)
    .map((text) => `sandboxlib: ${printable(text)}\n`)
    .join("");
}

function enforcedLines({ backend, enforcement }: SandboxResult): string {
  return enforcement.enforced
    .map(({ capability, path, mechanism, checked }) => {
      const how = checked === "kernel" ? " (read back from the kernel)" : "";
      return `enforced by ${backend}: ${capability} (${path}): ${mechanism}${how}`;
    })
    .map((text) => `sandboxlib: ${printable(text)}\n`)
    .join("");
}
