import { parseArgs } from "node:util";
import type { Word } from "@sandboxlib/core";
import { CliError } from "./cli-error.js";
import { COMMANDS, type CommandName } from "./commands.js";
import type { OptionName } from "./option-name.js";
import { optionProblem } from "./option-problem.js";
import { isOptionName, OPTIONS, optionsOf } from "./options.js";
import { see } from "./see.js";

/** A command line, split but not yet given a meaning. */
export interface CommandLine {
  /** What each option was given, in order; a switch was given nothing, any number of times. */
  readonly options: ReadonlyMap<OptionName, readonly string[]>;
  readonly root: string | undefined;
  /** The program and its arguments, exactly as they were written; empty when there is none. */
  readonly program: readonly string[];
  /** The same, where a word of it is not UTF-8: then `program` only shows it. */
  readonly bytes?: readonly Word[];
  /** The first mistake. The rest was read all the same, so that the mistake can be reported where the options say. */
  readonly problem: CliError | undefined;
}

/** Splits the arguments of a command. Options end at `--` or at the first word that is none. */
export function readCommandLine(command: CommandName, words: readonly Word[]): CommandLine {
  const args = words.map((word) =>
    typeof word === "string" ? word : Buffer.from(word).toString(),
  );
  const line = readText(command, args);
  const isExact = (word: Word): boolean => typeof word === "string";
  if (words.every(isExact)) return line;
  const start = words.length - line.program.length;
  const wrong = words.slice(0, start).findIndex((word) => !isExact(word));
  if (wrong !== -1) return { ...line, problem: notUtf8(args, wrong) };
  if (command === "run" && !TEXT_ONLY.some((name) => line.options.has(name)))
    return { ...line, bytes: words.slice(start) };
  const problem = new CliError("COMMAND: a word is not UTF-8, and can only be run");
  return { ...line, problem: line.problem ?? problem };
}

/** What prints a command, or gives it to somebody else. */
const TEXT_ONLY = ["dry-run", "pod", "metadata-service"] as const;

/** A path that is rewritten is another path. */
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

/** The last value of an option that takes one. */
export function valueOf({ options }: CommandLine, name: OptionName): string | undefined {
  return options.get(name)?.at(-1);
}

/** @throws CliError for the first mistake. */
export function assertUsable({ problem }: CommandLine): void {
  if (problem !== undefined) throw problem;
}

type Token = NonNullable<ReturnType<typeof parseArgs>["tokens"]>[number];

/**
 * Not strict, since what follows the command is none of our business: each token is checked here, and the messages can
 * name what was meant.
 */
function tokensOf(command: CommandName, args: readonly string[]): readonly Token[] {
  const options = Object.fromEntries(
    optionsOf(command).map((name) => [
      name,
      {
        type: OPTIONS[name].argument === undefined ? ("boolean" as const) : ("string" as const),
        ...(name in SHORT && { short: SHORT[name] ?? "" }),
      },
    ]),
  );
  return parseArgs({
    args: [...args],
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  }).tokens;
}

/** The options that one letter stands for. */
const SHORT: Partial<Record<OptionName, string>> = { help: "h", output: "o" };

function readOptions(
  command: CommandName,
  tokens: readonly Token[],
): { options: Map<OptionName, string[]>; problem: CliError | undefined } {
  const options = new Map<OptionName, string[]>();
  let problem: CliError | undefined;
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { name, value } = token;
    problem ??= optionProblem(command, token);
    if (!isOptionName(name)) continue;
    options.set(name, [...(options.get(name) ?? []), ...(value === undefined ? [] : [value])]);
  }
  return { options, problem };
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
    return {
      ...nothing,
      problem: new CliError(`${JSON.stringify(extra)}: \`${command}\` takes options only`, {
        hint: see(command),
      }),
    };
  }
  if (token.kind !== "positional") return { ...nothing, program };
  const root = token.value;
  const [first, ...more] = program;
  if (first === "--") return { root, program: more, problem: undefined };
  return {
    root,
    program,
    problem: root === "" ? new CliError("ROOT: is empty") : dashed(root, first),
  };
}

/** `ls -l` and `ROOT --network none`: neither is what the user means, and a guess would run the wrong thing. */
function dashed(root: string, first: string | undefined): CliError | undefined {
  if (first === undefined || !first.startsWith("-") || first === "-") return undefined;
  return new CliError(
    `${JSON.stringify(first)}: comes after ROOT, which is ${JSON.stringify(root)} here`,
    {
      hint: `Options come before ROOT. To run ${JSON.stringify(root)} itself, write \`--\` before it.`,
    },
  );
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
