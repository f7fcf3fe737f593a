import { assertUsable, type CommandLine } from "../command-line.js";
import { commandNames, isCommandName } from "../commands.js";
import { CliError, didYouMean, seeHelp } from "../errors.js";
import { helpFor, overview } from "../help.js";
import type { Io } from "../output.js";

/** Prints the help of a command or of the tool, as --help does, or the manual page. */
export async function help(line: CommandLine, { stdout }: Io): Promise<number> {
  assertUsable(line);
  const name = line.program.length === 0 ? undefined : line.program.slice(0, 2).join(" ");
  const [, second, third] = line.program;
  const more = third ?? (isCommandName(line.program[0] ?? "") ? second : undefined);
  if (more !== undefined)
    throw new CliError(`${JSON.stringify(more)}: is one word too many`, { hint: seeHelp("help") });
  if (name !== undefined && !isCommandName(name)) {
    const near = didYouMean(name, commandNames());
    throw new CliError(`${JSON.stringify(name)}: unknown command.${near}`, {
      hint: "See `sandboxlib help`.",
    });
  }
  if (line.options.has("man")) {
    const { manPage } = await import("../man-page.js");
    stdout.write(manPage(name));
  } else if (name === undefined) stdout.write(overview(stdout.columns));
  else stdout.write(helpFor(name, `sandboxlib ${name}`, stdout.columns));
  return 0;
}
