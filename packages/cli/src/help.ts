import {
  COMMANDS,
  type CommandName,
  commandNames,
  ENVIRONMENT,
  type Example,
  exitCodesOf,
} from "./commands.js";
import { OPTION_GROUPS, OPTIONS, type OptionGroup, type OptionName, optionsOf } from "./options.js";
import { columns, leftWidth, type Row, wrap, wrapCommand } from "./text-layout.js";

/** The columns of a page, and of what is no terminal. */
const PAGE = 80;
const NARROWEST = 30;

/** The help of `sandboxlib` itself. @param terminal - The width of the terminal; undefined for no terminal. */
export function overview(terminal?: number): string {
  const width = widthOf(terminal);
  const commands = commandNames().map((name) => [name, COMMANDS[name].summary] as const);
  return [
    ...wrap(SUMMARY, width),
    "",
    "Usage: sandboxlib COMMAND ...",
    "",
    ...columns(commands, leftWidth(commands), width),
    "",
    ...environmentLines(width),
    ...wrap(
      "`sandboxlib COMMAND --help` tells more. `run-sandbox` is short for `sandboxlib run`.",
      width,
    ),
    "",
  ].join("\n");
}

/** What the tool does, in a sentence. */
export const SUMMARY =
  "Runs commands in an environment that is partly or wholly cut off from the host.";

/** The help of one command, called by the given name. @param terminal - As for {@link overview}. */
export function helpFor(command: CommandName, calledAs: string, terminal?: number): string {
  const { usage, summary, notes = [], examples = [] } = COMMANDS[command];
  const width = widthOf(terminal);
  const exitCodes = exitCodesOf(command);
  const lines = [
    ...wrap(summary, width),
    "",
    ...usage.map((rest, index) =>
      `${index === 0 ? "Usage:" : "   or:"} ${calledAs} ${rest}`.trimEnd(),
    ),
    "",
    ...exampleLines(examples, width),
    ...optionLines(command, width),
    ...notes.flatMap((note) => [...wrap(note, width), ""]),
  ];
  if (startsSandbox(command)) lines.push(...environmentLines(width));
  if (exitCodes.length > 0)
    lines.push("Exit codes:", ...columns(exitCodes, leftWidth(exitCodes), width), "");
  return lines.join("\n");
}

/** Whether the variables of the environment mean something for it. */
function startsSandbox(command: CommandName): boolean {
  const { takesProgram, inPlaceOfRoot } = COMMANDS[command];
  return takesProgram && inPlaceOfRoot === undefined;
}

function widthOf(terminal: number | undefined): number {
  return Math.max(NARROWEST, terminal ?? PAGE);
}

function exampleLines(examples: readonly Example[], width: number): string[] {
  if (examples.length === 0) return [];
  const indented = (lines: readonly string[], by: number): string[] =>
    lines.map((line) => " ".repeat(by) + line);
  const lines = examples.flatMap(([line, meaning]) => [
    ...indented(wrapCommand(line, width - 2), 2),
    ...indented(wrap(meaning, width - 6), 6),
  ]);
  return [examples.length === 1 ? "Example:" : "Examples:", ...lines, ""];
}

function environmentLines(width: number): string[] {
  return ["Environment:", ...columns(ENVIRONMENT, leftWidth(ENVIRONMENT), width), ""];
}

/** The options under the headings of their groups; without headings if all are of one group. */
function optionLines(command: CommandName, width: number): string[] {
  const names = optionsOf(command);
  const row = (name: OptionName): Row => optionRow(name, command);
  const left = leftWidth(names.map(row));
  const groups = groupsOf(names);
  return groups.flatMap(([title, options]) => [
    ...(groups.length > 1 ? [`${title}:`] : []),
    ...columns(options.map(row), left, width),
    "",
  ]);
}

/** The groups that have options of these, in their order. */
export function groupsOf(
  names: readonly OptionName[],
): (readonly [title: OptionGroup, options: readonly OptionName[]])[] {
  return OPTION_GROUPS.map(
    (title) => [title, names.filter((name) => OPTIONS[name].group === title)] as const,
  ).filter(([, options]) => options.length > 0);
}

/** An option as it is written, and what it does. */
export function optionRow(name: OptionName, command: CommandName): Row {
  const option = OPTIONS[name];
  const long = option.argument === undefined ? `--${name}` : `--${name} ${option.argument}`;
  const isRepeated = option.argument !== undefined && option.repeat === true;
  const help = option.helps?.[command] ?? option.help;
  return [
    option.short === undefined ? long : `-${option.short}, ${long}`,
    isRepeated ? `${help} Can be repeated.` : help,
  ];
}
