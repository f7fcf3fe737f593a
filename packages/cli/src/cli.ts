import type { Word } from "@sandboxlib/core";
import { CliError } from "./cli-error.js";
import { type CommandLine, readCommandLine } from "./command-line.js";
import { type CommandName, commandNames, isCommandName } from "./commands.js";
import { Interrupted } from "./interrupted.js";
import type { Io } from "./io.js";
import { reportError } from "./report-error.js";
import { didYouMean } from "./suggest.js";

/** The name under which the tool was started; `run-sandbox` is `sandboxlib run`. */
export type CalledAs = "sandboxlib" | "run-sandbox";

/** How a command line ends: with an exit code, or by a signal, as the program did to which it has handed that on. */
export type End = number | NodeJS.Signals;

/** What a command does; gives the end. */
export type Command = (line: CommandLine, io: Io) => Promise<End>;

/** Each command is loaded when it is asked for: `--help` must not wait for the rest. */
const LOADERS: Readonly<Record<CommandName, () => Promise<Command>>> = {
  run: async () => (await import("./commands/run.js")).run,
  backends: async () => (await import("./commands/backends.js")).backends,
  doctor: async () => (await import("./commands/doctor.js")).doctor,
  explain: async () => (await import("./commands/explain.js")).explain,
  schema: async () => (await import("./commands/schema.js")).schema,
  image: async () => (await import("./commands/image.js")).image,
  gc: async () => (await import("./commands/gc.js")).gc,
};

/** Runs one command line and gives its end. Never throws: what goes wrong is reported on standard error. */
export async function cli(calledAs: CalledAs, args: readonly Word[], io: Io): Promise<End> {
  const [first, ...rest] = args;
  try {
    if (calledAs === "run-sandbox") return await runCommand("run", calledAs, args, io);
    if (first === "--version") return await printVersion(io);
    if (first === "--help" || first === "-h") return await printOverview(io.stdout, 0);
    if (first === undefined) return await printOverview(io.stderr, 2);
    const word = String(first);
    if (!isCommandName(word)) {
      const near = didYouMean(word, commandNames());
      const hint = "See `sandboxlib --help`.";
      throw new CliError(`${JSON.stringify(word)}: unknown command.${near}`, { hint });
    }
    return await runCommand(word, `${calledAs} ${word}`, rest, io);
  } catch (error) {
    if (error instanceof Interrupted) return error.signal;
    return reportError(error, io.stderr, args.includes("--verbose"));
  }
}

async function runCommand(
  name: CommandName,
  calledAs: string,
  args: readonly Word[],
  io: Io,
): Promise<End> {
  const line = readCommandLine(name, args);
  if (line.options.has("help")) {
    const { helpFor } = await import("./help.js");
    io.stdout.write(helpFor(name, calledAs));
    return 0;
  }
  if (line.options.has("version")) return printVersion(io);
  const command = await LOADERS[name]();
  return command(line, io);
}

async function printOverview(to: Io["stdout"], exitCode: number): Promise<number> {
  const { overview } = await import("./help.js");
  to.write(overview());
  return exitCode;
}

async function printVersion({ stdout }: Io): Promise<number> {
  const { version } = await import("./version.js");
  stdout.write(`${version()}\n`);
  return 0;
}
