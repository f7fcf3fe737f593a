import type { parseArgs } from "node:util";
import { CliError } from "./cli-error.js";
import type { CommandName } from "./commands.js";
import { isOptionName, OPTIONS, optionsOf } from "./options.js";
import { see } from "./see.js";
import { didYouMean } from "./suggest.js";

type Token = NonNullable<ReturnType<typeof parseArgs>["tokens"]>[number];
type OptionToken = Extract<Token, { kind: "option" }>;

/** What is wrong with one use of an option, as the user wrote it. */
export function optionProblem(command: CommandName, token: OptionToken): CliError | undefined {
  const { name, rawName, value, inlineValue } = token;
  const known = optionsOf(command);
  if (!isOptionName(name) || !known.includes(name)) {
    const near = didYouMean(
      rawName,
      known.map((option) => `--${option}`),
    );
    return new CliError(`${rawName}: unknown option.${near}`, { hint: see(command) });
  }
  const { argument } = OPTIONS[name];
  if (argument === undefined) {
    return value === undefined
      ? undefined
      : new CliError(`${rawName}: takes no value, and was given ${JSON.stringify(value)}`);
  }
  if (value === undefined) return new CliError(`${rawName}: ${argument} is missing`);
  if (value === "") return new CliError(`${rawName}: ${argument} is empty`);
  if (inlineValue !== true && value.startsWith("-")) {
    return new CliError(`${rawName}: ${argument} is missing, or is it ${JSON.stringify(value)}?`, {
      hint: `Write ${rawName}=${value} for a value that starts with a dash.`,
    });
  }
  return undefined;
}
