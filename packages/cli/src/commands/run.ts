import type { SandboxResult } from "@sandboxlib/core";
import type { End } from "../cli.js";
import { CliError } from "../cli-error.js";
import { assertUsable, type CommandLine, valueOf } from "../command-line.js";
import { exitCodeOf } from "../exit-code.js";
import type { Io } from "../io.js";
import { printableJson } from "../printable.js";
import { askedBy, type Ready } from "../ready.js";
import { describeError } from "../report-error.js";
import { droppedLines, enforcedLines, limitLine, noteLines } from "../report-run.js";
import { openResultFile } from "../result-file.js";
import { type Forwarding, forwardSignals } from "../signals.js";
import { callersTerminal } from "../terminal.js";
import { Together } from "../together.js";

/** Runs a program in a sandbox and ends as that did. */
export async function run(line: CommandLine, io: Io): Promise<End> {
  if (line.options.has("pod") || line.options.has("metadata-service")) {
    assertConsistent(line);
    return (await import("../pod.js")).runPodLine(line, io);
  }
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

async function dryRun(line: CommandLine, io: Io): Promise<number> {
  assertConsistent(line);
  const asked = await askedBy(line, io);
  assertProgram(asked.written.config.command);
  const ready = await asked.open();
  const { backend, config, plan, dropped } = ready.sandbox;
  await ready.close();
  io.stdout.write(printableJson({ backend, command: config.command, plan, dropped }));
  return 0;
}

async function runProgram(line: CommandLine, io: Io): Promise<Ran> {
  assertConsistent(line);
  const asked = await askedBy(line, io);
  assertProgram(asked.written.config.command);
  const signals = forwardSignals();
  try {
    const ready = await asked.open();
    try {
      const result = await runIn(ready, line, io, signals);
      return { result, endedBy: signals.endedBy(result) };
    } finally {
      await ready.close();
    }
  } finally {
    signals.stop();
  }
}

const INHERIT = { stdin: "inherit", stdout: "inherit", stderr: "inherit" } as const;

async function runIn(
  { sandbox, notes, around }: Ready,
  line: CommandLine,
  { stderr }: Io,
  signals: Forwarding,
): Promise<SandboxResult> {
  const tell = (text: string): unknown => !line.options.has("quiet") && stderr.write(text);
  tell(noteLines(notes) + droppedLines(sandbox));
  // What comes after the program is run even when a signal has ended that.
  const together = new Together();
  signals.to(together);
  const result = await around(async (argv) => {
    const terminal = line.options.has("tty") ? callersTerminal() : undefined;
    const child = sandbox.spawn(argv ?? line.bytes, terminal?.options ?? INHERIT);
    try {
      const [ended] = await Promise.all([together.add(child), terminal?.to(child)]);
      return ended;
    } finally {
      terminal?.restore();
      await child[Symbol.asyncDispose]();
    }
  });
  tell(limitLine(result));
  if (line.options.has("verbose")) stderr.write(enforcedLines(result));
  return result;
}

/** Pairs of options that contradict each other. */
const CONTRADICTIONS = [
  ["dry-run", "result-file"],
  ["quiet", "verbose"],
  ["dry-run", "pod"],
  ["dry-run", "metadata-service"],
  ["root", "pod"],
  ["volume", "pod"],
  ["digest", "pod"],
  ["tty", "pod"],
  ["tty", "metadata-service"],
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
