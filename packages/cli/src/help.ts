import { COMMANDS, type CommandName, commandNames, EXIT_CODES } from "./commands.js";
import { OPTION_GROUPS, OPTIONS, type OptionName, optionsOf } from "./options.js";

const WIDTH = 80;
const INDENT = "  ";
const MOST_LEFT = 24;

/** The help of `sandboxlib` itself. */
export function overview(): string {
  const commands = commandNames().map((name) => [name, COMMANDS[name].summary] as const);
  return [
    "Runs commands in an environment that is partly or wholly cut off from the host.",
    "",
    "Usage: sandboxlib COMMAND ...",
    "",
    ...columns(commands, leftWidth(commands)),
    "",
    "`sandboxlib COMMAND --help` tells more. `run-sandbox` is short for `sandboxlib run`.",
    "",
  ].join("\n");
}

/** The help of one command, called by the given name. */
export function helpFor(command: CommandName, calledAs: string): string {
  const { usage, summary, notes = [], takesProgram } = COMMANDS[command];
  const lines = [
    summary,
    "",
    ...usage.map((rest, index) =>
      `${index === 0 ? "Usage:" : "   or:"} ${calledAs} ${rest}`.trimEnd(),
    ),
    "",
    ...optionLines(optionsOf(command)),
    ...notes.flatMap((note) => [...wrap(note, WIDTH), ""]),
  ];
  if (takesProgram) lines.push("Exit codes:", ...columns(EXIT_CODES, leftWidth(EXIT_CODES)), "");
  return lines.join("\n");
}

type Row = readonly [left: string, right: string];

/** The options under the headings of their groups; without headings if all are of one group. */
function optionLines(names: readonly OptionName[]): string[] {
  const width = leftWidth(names.map(optionRow));
  const groups = OPTION_GROUPS.map(
    (title) => [title, names.filter((name) => OPTIONS[name].group === title)] as const,
  ).filter(([, options]) => options.length > 0);
  return groups.flatMap(([title, options]) => [
    ...(groups.length > 1 ? [`${title}:`] : []),
    ...columns(options.map(optionRow), width),
    "",
  ]);
}

function optionRow(name: OptionName): Row {
  const option = OPTIONS[name];
  const long = option.argument === undefined ? `--${name}` : `--${name} ${option.argument}`;
  const isRepeated = option.argument !== undefined && option.repeat === true;
  return [
    option.short === undefined ? long : `-${option.short}, ${long}`,
    isRepeated ? `${option.help} Can be repeated.` : option.help,
  ];
}

function leftWidth(rows: readonly Row[]): number {
  return Math.min(MOST_LEFT, Math.max(...rows.map(([left]) => left.length)) + 2);
}

/** Two columns, the second one wrapped; a text too long for the first gets a line of its own. */
function columns(rows: readonly Row[], width: number): string[] {
  return rows.flatMap(([left, right]) => {
    const lines = wrap(right, WIDTH - INDENT.length - width);
    const own = left.length > width - 2 ? [INDENT + left] : [];
    const first = own.length > 0 ? "" : left;
    return [
      ...own,
      ...lines.map((line, index) => INDENT + (index === 0 ? first : "").padEnd(width) + line),
    ];
  });
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
