import { styleText } from "node:util";

/** An output of a command. */
export interface Output {
  /** Whether it shows colours. */
  readonly color: boolean;
  /** Whether it is a terminal, where a line that was written can be overwritten. */
  readonly live?: boolean;
  /** How many columns the terminal has; undefined where there is none. */
  readonly columns?: number | undefined;
  write(text: string): void;
}

/** The two outputs of a command. A program in a sandbox does not use them: it gets those of this process. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
}

/** How a word stands out on a terminal. */
export type Style = "bold" | "red" | "green" | "yellow";

/** Colours a text if the output shows colours. */
export function paint({ color }: Output, style: Style, text: string): string {
  // Whether the stream takes colours was looked at where it was opened, and Node would look at standard output only.
  return color ? styleText(style, text, { validateStream: false }) : text;
}

/** Lays cells out in columns. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/**
 * Makes untrusted text harmless to a terminal and puts it on one line: control characters, and those that change the
 * direction of text, are written as `\xNN` or `\u{N}`.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    return code < 256 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`;
  });
}

/** Indented JSON that is harmless to a terminal: what {@link printable} would replace is written as `\uNNNN`. */
export function printableJson(value: unknown): string {
  const json = JSON.stringify(value, setsAsLists, 2).replace(UNPRINTABLE, (character) =>
    character === "\n" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `${json}\n`;
}

const UNPRINTABLE = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

function setsAsLists(_key: string, value: unknown): unknown {
  return value instanceof Set ? [...value] : value;
}
