import { COMMANDS, type CommandName, commandNames, EXIT_CODES } from "./commands.js";
import type { OptionName } from "./option-name.js";
import { OPTIONS, optionsOf } from "./options.js";

const WIDTH = 80;
const INDENT = "  ";

/** The help of `sandboxlib` itself. */
export function overview(): string {
  const commands = commandNames().map((name) => [name, COMMANDS[name].summary] as const);
  return [
    "Runs commands in an environment that is partly or wholly cut off from the host.",
    "",
    "Usage: sandboxlib COMMAND ...",
    "",
    ...columns(commands),
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
    ...columns(optionsOf(command).map((name) => [synopsis(name), described(name)] as const)),
    "",
    ...notes.flatMap((note) => [...wrap(note, WIDTH), ""]),
  ];
  if (takesProgram) lines.push("Exit codes:", ...columns(EXIT_CODES), "");
  return lines.join("\n");
}

function synopsis(name: OptionName): string {
  const { argument } = OPTIONS[name];
  const short = name === "help" ? "-h, " : "";
  return argument === undefined ? `${short}--${name}` : `--${name} ${argument}`;
}

function described(name: OptionName): string {
  return OPTIONS[name].repeat === true
    ? `${OPTIONS[name].help} Can be repeated.`
    : OPTIONS[name].help;
}

/** Two columns, the second one wrapped; a word too long for the first gets a line of its own. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(24, Math.max(...rows.map(([left]) => left.length)) + 2);
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
