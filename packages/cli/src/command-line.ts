import { type ParseArgsConfig, parseArgs } from "node:util";
import type { Word } from "@sandboxlib/core";
import { COMMANDS, type CommandName } from "./commands.js";
import { CliError, didYouMean, seeHelp } from "./errors.js";
import {
  isOptionName,
  OPTIONS,
  type OptionName,
  type OptionValue,
  optionsOf,
  type ValuedOptionName,
} from "./options.js";

/** A command line, split into its parts. */
export interface CommandLine {
  /** The arguments of each option as they were written, in order; of a switch there are none. */
  readonly options: ReadonlyMap<OptionName, readonly string[]>;
  readonly root: string | undefined;
  /** The program and its arguments, exactly as they were written; empty when there is none. */
  readonly program: readonly string[];
  /** The same with the exact bytes, if one of the words is not UTF-8; `program` then has U+FFFD for these bytes. */
  readonly bytes?: readonly Word[];
  /** The first mistake. The rest is read all the same, so that the mistake can be written to the result file. */
  readonly problem: CliError | undefined;
}

/** Splits the arguments of a command. Options end at `--`, or at the first word that is neither option nor argument. */
export function readCommandLine(command: CommandName, words: readonly Word[]): CommandLine {
  const args = words.map((word) =>
    typeof word === "string" ? word : Buffer.from(word).toString(),
  );
  const line = readText(command, args);
  const isText = (word: Word): boolean => typeof word === "string";
  if (words.every(isText)) return line;
  const start = words.length - line.program.length;
  const wrong = words.slice(0, start).findIndex((word) => !isText(word));
  if (wrong !== -1) return { ...line, problem: notUtf8(args, wrong) };
  if (command === "run" && !TEXT_ONLY.some((name) => line.options.has(name)))
    return { ...line, bytes: words.slice(start) };
  const problem = new CliError("COMMAND: a word is not UTF-8, and can only be run");
  return { ...line, problem: line.problem ?? problem };
}

/** The options with which COMMAND becomes part of a JSON text, which cannot hold other bytes than UTF-8. */
const TEXT_ONLY = ["dry-run", "pod", "metadata-service"] as const;

function readText(command: CommandName, args: readonly string[]): CommandLine {
  const tokens = tokensOf(command, args);
  if (COMMANDS[command].takesWords === true) {
    const words = tokens.flatMap((token) => (token.kind === "positional" ? token.value : []));
    return { ...readOptions(command, tokens), root: undefined, program: words };
  }
  const end = tokens.findIndex(({ kind }) => kind !== "option");
  const { options, problem } = readOptions(command, end === -1 ? tokens : tokens.slice(0, end));
  const rest = readRest(command, args, end === -1 ? undefined : tokens[end]);
  return { options, ...rest, problem: problem ?? rest.problem ?? twoRoots(options, rest.root) };
}

type Token = NonNullable<ReturnType<typeof parseArgs>["tokens"]>[number];
type OptionToken = Extract<Token, { kind: "option" }>;

/** Parses without `strict`, since words after COMMAND may look like options; {@link problemOf} checks ours. */
function tokensOf(command: CommandName, args: readonly string[]): readonly Token[] {
  const options: ParseArgsConfig["options"] = Object.fromEntries(
    optionsOf(command).map((name) => {
      const { argument, short } = OPTIONS[name];
      const type = argument === undefined ? "boolean" : "string";
      return [name, { type, ...(short !== undefined && { short }) }];
    }),
  );
  return parseArgs({
    args: [...args],
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  }).tokens;
}

function readOptions(
  command: CommandName,
  tokens: readonly Token[],
): { options: Map<OptionName, string[]>; problem: CliError | undefined } {
  const options = new Map<OptionName, string[]>();
  let problem: CliError | undefined;
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { name, value } = token;
    problem ??= problemOf(command, token);
    if (!isOptionName(name)) continue;
    problem ??= secondOf(name, options.get(name));
    options.set(name, [...(options.get(name) ?? []), ...(value === undefined ? [] : [value])]);
  }
  return { options, problem };
}

function problemOf(command: CommandName, token: OptionToken): CliError | undefined {
  const { name, rawName, value, inlineValue } = token;
  const known = optionsOf(command);
  if (!isOptionName(name) || !known.includes(name)) {
    const near = didYouMean(
      rawName,
      known.map((option) => `--${option}`),
    );
    return new CliError(`${rawName}: unknown option.${near}`, { hint: seeHelp(command) });
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

function secondOf(name: OptionName, before: readonly string[] | undefined): CliError | undefined {
  const option = OPTIONS[name];
  if (before === undefined || option.argument === undefined || option.once !== true)
    return undefined;
  return new CliError(`--${name}: is there a second time, after ${JSON.stringify(before[0])}`, {
    hint: "Only one file can be given. Write the fields of both into one.",
  });
}

function readRest(
  command: CommandName,
  args: readonly string[],
  token: Token | undefined,
): Pick<CommandLine, "root" | "program" | "problem"> {
  const nothing = { root: undefined, program: [], problem: undefined };
  if (token === undefined) return nothing;
  const program = args.slice(token.index + 1);
  if (!COMMANDS[command].takesProgram) {
    const extra = token.kind === "positional" ? token.value : program[0];
    if (extra === undefined) return nothing;
    const text = `${JSON.stringify(extra)}: \`${command}\` takes options only`;
    return { ...nothing, problem: new CliError(text, { hint: seeHelp(command) }) };
  }
  if (token.kind !== "positional") return { ...nothing, program };
  const root = token.value;
  const [first, ...more] = program;
  if (first === "--") return { root, program: more, problem: undefined };
  const called = COMMANDS[command].inPlaceOfRoot ?? "ROOT";
  const problem =
    root === "" ? new CliError(`${called}: is empty`) : optionAfterRoot(called, root, first);
  return { root, program, problem };
}

/** Refuses `ls -l` and `ROOT --network none`, where the user means something else than what would be run. */
function optionAfterRoot(
  called: string,
  root: string,
  first: string | undefined,
): CliError | undefined {
  if (first === undefined || !first.startsWith("-") || first === "-") return undefined;
  const word = JSON.stringify(root);
  const itself = called === "ROOT" ? ` To run ${word} itself, write \`--\` before it.` : "";
  return new CliError(`${JSON.stringify(first)}: comes after ${called}, which is ${word} here`, {
    hint: `Options come before ${called}.${itself}`,
  });
}

function twoRoots(
  options: ReadonlyMap<OptionName, readonly string[]>,
  root: string | undefined,
): CliError | undefined {
  if (root === undefined || !options.has("root")) return undefined;
  return new CliError(`${JSON.stringify(root)}: is a second ROOT beside --root`, {
    hint: `To run ${JSON.stringify(root)} itself, write \`--\` before it.`,
  });
}

/** Refuses bytes that are not UTF-8 in our own arguments: as text they would name another path. */
function notUtf8(args: readonly string[], index: number): CliError {
  const word = args[index] ?? "";
  const before = args[index - 1] ?? "";
  const [inline = "", ...value] = word.split("=");
  const isInline = word.startsWith("-") && value.length > 0;
  const name = isInline ? inline : before.startsWith("-") && before !== "--" ? before : "ROOT";
  const shown = JSON.stringify(isInline ? value.join("=") : word);
  return new CliError(`${name}: ${shown} is not UTF-8`, {
    hint: "Rename what it names, or give another name of it.",
  });
}

/** Each argument of an option, read. @throws CliError for one that cannot be read. */
export function valuesOf<Name extends ValuedOptionName>(
  { options }: CommandLine,
  name: Name,
): OptionValue<Name>[] {
  const { read } = OPTIONS[name];
  return (options.get(name) ?? []).map((text) => read(text, `--${name}`) as OptionValue<Name>);
}

/** The last argument of an option, read. @throws CliError if it cannot be read. */
export function valueOf<Name extends ValuedOptionName>(
  line: CommandLine,
  name: Name,
): OptionValue<Name> | undefined {
  const { read } = OPTIONS[name];
  const text = line.options.get(name)?.at(-1);
  return text === undefined ? undefined : (read(text, `--${name}`) as OptionValue<Name>);
}

/** @throws CliError for the first mistake. */
export function assertUsable({ problem }: CommandLine): void {
  if (problem !== undefined) throw problem;
}
