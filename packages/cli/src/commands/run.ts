import { fstatSync } from "node:fs";
import type { SandboxResult } from "@sandboxlib/core";
import { isUnbegun } from "@sandboxlib/core/internal";
import { assertUsable, type CommandLine, valueOf } from "../command-line.js";
import { CliError, describeError } from "../errors.js";
import { type End, exitCodeOf } from "../exit-code.js";
import { withOrigin } from "../origins.js";
import { type Io, printableJson } from "../output.js";
import { droppedLines, enforcedLines, limitLine, noteLines } from "../report-run.js";
import { sandboxFromLine } from "../sandbox-from-line.js";
import type { OpenSandbox } from "../sandbox-request.js";
import { type Forwarding, forwardSignals, ProgramGroup } from "../signals.js";

/** Runs a program in a sandbox and ends as it did. */
export async function run(line: CommandLine, io: Io): Promise<End> {
  if (line.options.has("pod") || line.options.has("metadata-service")) {
    assertConsistent(line);
    return (await import("../pod.js")).runPodLine(line, io);
  }
  if (line.options.has("dry-run")) return dryRun(line, io);
  const reports = await openReports(line);
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
async function openReports(line: CommandLine): Promise<((ended: SandboxResult | Error) => void)[]> {
  if (!line.options.has("result-file") && !line.options.has("meta")) return [];
  const { openResultFile } = await import("../result-file.js");
  const { metaText } = await import("../meta-file.js");
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
  const notes = new Notes(line, io);
  const runOnce = async (isUntried: boolean): Promise<Ended> => {
    const opened = await request.open(isUntried);
    try {
      const result = await runIn(opened, line, notes, signals);
      return { result, endedBy: signals.endedBy(result) };
    } finally {
      await opened.close();
    }
  };
  try {
    return await orOnceMore(runOnce, mayTryTwice(line));
  } catch (error) {
    throw withOrigin(error, request.written.origins);
  } finally {
    signals.stop();
  }
}

/**
 * Most hosts allow what a backend needs, so it is not asked beforehand. Where a run fails before the program has begun, the
 * backend is asked what is missing, and the next run is made with what there is, or refused with the reason.
 */
async function orOnceMore(
  runOnce: (isUntried: boolean) => Promise<Ended>,
  mayTry: boolean,
): Promise<Ended> {
  try {
    return await runOnce(mayTry);
  } catch (error) {
    if (!mayTry || !isUnbegun(error)) throw error;
    return runOnce(false);
  }
}

/** Not where something would be lost: what was read of a file for the program, or typed. */
function mayTryTwice(line: CommandLine): boolean {
  if (line.options.has("tty")) return false;
  try {
    return !fstatSync(0).isFile();
  } catch {
    return false; // Core says that it is closed.
  }
}

/** What is said on standard error, unless --quiet is given. No line is said twice before the program begins. */
class Notes {
  readonly isVerbose: boolean;
  readonly isQuiet: boolean;
  readonly #write: (text: string) => void;
  readonly #before = new Set<string>();

  constructor({ options }: CommandLine, { stderr }: Io) {
    this.isVerbose = options.has("verbose");
    this.isQuiet = options.has("quiet");
    this.#write = (text) => void (this.isQuiet || stderr.write(text));
  }

  before(text: string): void {
    for (const line of text.match(/.*\n/g) ?? []) {
      if (!this.#before.has(line)) this.#write(line);
      this.#before.add(line);
    }
  }

  after(text: string): void {
    this.#write(text);
  }
}

const INHERIT = { stdin: "inherit", stdout: "inherit", stderr: "inherit" } as const;

async function runIn(
  { sandbox, notes, untold, runAll }: OpenSandbox,
  line: CommandLine,
  told: Notes,
  signals: Forwarding,
): Promise<SandboxResult> {
  const ofImage = told.isVerbose || told.isQuiet ? notes : (untold?.() ?? notes);
  told.before(noteLines(ofImage) + droppedLines(sandbox));
  // An event handler of the image runs after the program even if a signal has ended the program.
  const group = new ProgramGroup();
  signals.to(group);
  const result = await runAll(async (argv) => {
    const terminal = line.options.has("tty")
      ? (await import("../terminal.js")).callersTerminal()
      : undefined;
    const child = sandbox.spawn(argv ?? line.bytes, terminal?.options ?? INHERIT);
    try {
      const [result] = await Promise.all([group.add(child), terminal?.to(child)]);
      return result;
    } finally {
      terminal?.restore();
      await child[Symbol.asyncDispose]();
    }
  });
  told.after(limitLine(result) + (told.isVerbose ? enforcedLines(result) : ""));
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
