import type { SandboxResult } from "@sandboxlib/core";
import { assertUsable, type CommandLine, valueOf } from "../command-line.js";
import { CliError, describeError } from "../errors.js";
import { type End, exitCodeOf } from "../exit-code.js";
import { metaText } from "../meta-file.js";
import { withOrigin } from "../origins.js";
import { type Io, printableJson } from "../output.js";
import { droppedLines, enforcedLines, limitLine, noteLines } from "../report-run.js";
import { openResultFile } from "../result-file.js";
import { sandboxFromLine } from "../sandbox-from-line.js";
import type { OpenSandbox } from "../sandbox-request.js";
import { type Forwarding, forwardSignals, ProgramGroup } from "../signals.js";
import { callersTerminal } from "../terminal.js";

/** Runs a program in a sandbox and ends as it did. */
export async function run(line: CommandLine, io: Io): Promise<End> {
  if (line.options.has("pod") || line.options.has("metadata-service")) {
    assertConsistent(line);
    return (await import("../pod.js")).runPodLine(line, io);
  }
  if (line.options.has("dry-run")) return dryRun(line, io);
  const reports = openReports(line);
  let ended: Ended;
  try {
    ended = await runProgram(line, io);
  } catch (error) {
    for (const report of reports) report(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
  for (const report of reports) report(ended.result);
  return endOf(ended);
}

/** Opens the files that say how the run ended, whatever happens. */
function openReports(line: CommandLine): ((ended: SandboxResult | Error) => void)[] {
  const open = (
    name: "result-file" | "meta",
    textOf: (ended: SandboxResult | Error) => string,
  ): ((ended: SandboxResult | Error) => void)[] => {
    const path = valueOf(line, name);
    if (path === undefined) return [];
    const file = openResultFile(path, `--${name}`);
    return [(ended) => file.write(textOf(ended))];
  };
  const asJson = (ended: SandboxResult | Error): string =>
    printableJson(ended instanceof Error ? { error: describeError(ended) } : ended);
  return [...open("result-file", asJson), ...open("meta", metaText)];
}

interface Ended {
  readonly result: SandboxResult;
  /** The signal that this process got and that ended the program. */
  readonly endedBy: NodeJS.Signals | undefined;
}

function endOf({ result, endedBy }: Ended): End {
  return endedBy ?? exitCodeOf(result);
}

async function dryRun(line: CommandLine, io: Io): Promise<number> {
  assertConsistent(line);
  const request = await sandboxFromLine(line, io);
  assertProgram(request.written.config.command);
  const { sandbox, close } = await request.open();
  const { backend, config, plan, dropped } = sandbox;
  await close();
  io.stdout.write(printableJson({ backend, command: config.command, plan, dropped }));
  return 0;
}

async function runProgram(line: CommandLine, io: Io): Promise<Ended> {
  assertConsistent(line);
  const request = await sandboxFromLine(line, io);
  assertProgram(request.written.config.command);
  const signals = forwardSignals();
  try {
    const opened = await request.open();
    try {
      const result = await runIn(opened, line, io, signals);
      return { result, endedBy: signals.endedBy(result) };
    } catch (error) {
      throw withOrigin(error, request.written.origins);
    } finally {
      await opened.close();
    }
  } finally {
    signals.stop();
  }
}

const INHERIT = { stdin: "inherit", stdout: "inherit", stderr: "inherit" } as const;

async function runIn(
  { sandbox, notes, untold, runAll }: OpenSandbox,
  line: CommandLine,
  { stderr }: Io,
  signals: Forwarding,
): Promise<SandboxResult> {
  const tell = (text: string): unknown => !line.options.has("quiet") && stderr.write(text);
  if (!line.options.has("quiet")) {
    const told = line.options.has("verbose") ? notes : (untold?.() ?? notes);
    stderr.write(noteLines(told) + droppedLines(sandbox));
  }
  // An event handler of the image runs after the program even if a signal has ended the program.
  const group = new ProgramGroup();
  signals.to(group);
  const result = await runAll(async (argv) => {
    const terminal = line.options.has("tty") ? callersTerminal() : undefined;
    const child = sandbox.spawn(argv ?? line.bytes, terminal?.options ?? INHERIT);
    try {
      const [result] = await Promise.all([group.add(child), terminal?.to(child)]);
      return result;
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
  ["dry-run", "meta"],
  ["quiet", "verbose"],
  ["dry-run", "pod"],
  ["dry-run", "metadata-service"],
  ["root", "pod"],
  ["volume", "pod"],
  ["digest", "pod"],
  ["tty", "pod"],
  ["meta", "pod"],
  ["meta", "metadata-service"],
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
