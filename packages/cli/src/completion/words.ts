import { allCapabilities, CAPABILITIES } from "@sandboxlib/core";
import { COMMANDS, type CommandName, commandNames, firstWords } from "../commands.js";
import { OPTIONS, type Option, type OptionName, optionsOf } from "../options.js";

/** What the completions of every shell are made of. */

/** The ways to write an option: `-o` and `--output`. */
export function spellings(name: OptionName): string[] {
  const { short } = OPTIONS[name];
  return [...(short === undefined ? [] : [`-${short}`]), `--${name}`];
}

/** The words that an argument can be; empty if they are not known. */
export function wordsFor(option: Option): readonly string[] {
  if (option.argument === undefined || option.completes === undefined) return [];
  if (option.completes === "capability")
    return allCapabilities().filter((name) => CAPABILITIES[name].droppable);
  return typeof option.completes === "string" ? [] : option.completes;
}

/** Whether an argument is a path of the host. */
export function isPath(option: Option): option is Option & { completes: "file" | "directory" } {
  if (option.argument === undefined) return false;
  return option.completes === "file" || option.completes === "directory";
}

/** The words that may follow a command other than options, ROOT and COMMAND. */
export function subcommandsOf(name: CommandName): readonly string[] {
  if (COMMANDS[name].takesWords !== true) return [];
  if (name === "help") return [...firstWords().keys()];
  return COMMANDS[name].usage.flatMap((usage) => usage.split(" ")[0]?.split("|") ?? []);
}

/** The first words of commands, and for those of two words what may follow. */
export function doubleWords(): (readonly [first: string, seconds: readonly string[]])[] {
  return [...firstWords()].filter(([, seconds]) => seconds.length > 0);
}

/** The commands after whose options ROOT and COMMAND follow. */
export function programCommands(): CommandName[] {
  return commandNames().filter((name) => COMMANDS[name].takesProgram);
}

/** The names of the options with an argument, of any command. */
export function valuedOptions(): OptionName[] {
  const names = new Set(commandNames().flatMap(optionsOf));
  return [...names].filter((name) => OPTIONS[name].argument !== undefined);
}
