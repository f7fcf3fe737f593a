import type { Word } from "@sandboxlib/core";
import { type CommandLine, readCommandLine } from "./command-line.js";
import { type CommandName, firstWords, isCommandName } from "./commands.js";
import { CliError, didYouMean, Interrupted, reportError } from "./errors.js";
import type { End } from "./exit-code.js";
import type { Io, Output } from "./output.js";
import { assertOutputsApart } from "./output-files.js";
import { printVersion } from "./version.js";

/** The name under which the tool was started; `run-sandbox` is `sandboxlib run`. */
export type CalledAs = "sandboxlib" | "run-sandbox";

type Command = (line: CommandLine, io: Io) => Promise<End>;

/** Loads a command when it is called, so that `--help` and `--version` are fast. */
const LOADERS: Readonly<Record<CommandName, () => Promise<Command>>> = {
  run: async () => (await import("./commands/run.js")).run,
  backends: async () => (await import("./commands/backends.js")).backends,
  doctor: async () => (await import("./commands/doctor.js")).doctor,
  explain: async () => (await import("./commands/explain.js")).explain,
  plan: async () => (await import("./commands/plan.js")).plan,
  prove: async () => (await import("./commands/prove.js")).prove,
  "session start": async () => (await import("./session/start.js")).start,
  "session exec": async () => (await import("./session/exec.js")).exec,
  "session stop": async () => (await import("./session/stop.js")).stop,
  schema: async () => (await import("./commands/schema.js")).schema,
  image: async () => (await import("./commands/image.js")).image,
  gc: async () => (await import("./commands/gc.js")).gc,
  "new-backend": async () => (await import("./commands/new-backend.js")).newBackend,
  completion: async () => (await import("./commands/completion.js")).completion,
  help: async () => (await import("./commands/help.js")).help,
  version: async () => (await import("./commands/version.js")).version,
};

/** Runs one command line and returns how it ends. Never throws: an error is reported on standard error. */
export async function cli(calledAs: CalledAs, args: readonly Word[], io: Io): Promise<End> {
  const [first, ...rest] = args;
  try {
    if (calledAs === "run-sandbox") return await runCommand("run", calledAs, args, io);
    if (first === "--version") return printVersion(io);
    if (first === "--help" || first === "-h") return await printOverview(io.stdout, 0);
    if (first === undefined) return await printOverview(io.stderr, 2);
    const { name, left } = commandOf(String(first), rest);
    return await runCommand(name, `${calledAs} ${name}`, left, io);
  } catch (error) {
    if (error instanceof Interrupted) return error.signal;
    return reportError(error, io.stderr, args.includes("--verbose"));
  }
}

/** The command that the first word or the first two name. @throws CliError */
function commandOf(
  first: string,
  rest: readonly Word[],
): { readonly name: CommandName; readonly left: readonly Word[] } {
  if (isCommandName(first)) return { name: first, left: rest };
  const seconds = firstWords().get(first) ?? [];
  const second = String(rest[0] ?? "");
  const both = `${first} ${second}`;
  if (isCommandName(both)) return { name: both, left: rest.slice(1) };
  const hint = "See `sandboxlib --help`.";
  if (seconds.length > 0)
    throw new CliError(
      second === ""
        ? `${first}: ${seconds.join(", ")}: which one?`
        : `${first} ${JSON.stringify(second)}: unknown command.${didYouMean(second, seconds)}`,
      { hint: `They are ${seconds.map((each) => `\`${first} ${each}\``).join(", ")}.` },
    );
  const near = didYouMean(first, firstWords().keys());
  throw new CliError(`${JSON.stringify(first)}: unknown command.${near}`, { hint });
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
    io.stdout.write(helpFor(name, calledAs, io.stdout.columns));
    return 0;
  }
  if (line.options.has("version")) return printVersion(io);
  assertOutputsApart(line);
  const command = await LOADERS[name]();
  return command(line, io);
}

async function printOverview(to: Output, exitCode: number): Promise<number> {
  const { overview } = await import("./help.js");
  to.write(overview(to.columns));
  return exitCode;
}
