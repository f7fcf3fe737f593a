const INDENT = "  ";
const MOST_LEFT = 24;
/** Below this width a left column would leave no room for sentences. */
const TWO_COLUMNS_FROM = 60;

/** Two cells side by side. */
export type Row = readonly [left: string, right: string];

/** How wide the left column of these rows is. */
export function leftWidth(rows: readonly Row[]): number {
  return Math.min(MOST_LEFT, Math.max(...rows.map(([left]) => left.length)) + 2);
}

/**
 * Two columns, the second one wrapped; a text too long for the first gets a line of its own. On a narrow terminal every one
 * does.
 */
export function columns(rows: readonly Row[], left: number, width: number): string[] {
  const isNarrow = width < TWO_COLUMNS_FROM;
  const indent = isNarrow ? 6 : INDENT.length + left;
  return rows.flatMap(([first, second]) => {
    const lines = wrap(second, width - indent).map((line) => " ".repeat(indent) + line);
    if (isNarrow || first.length > left - 2) return [INDENT + first, ...lines];
    return lines.map((line, index) =>
      index === 0 ? (INDENT + first).padEnd(indent) + line.slice(indent) : line,
    );
  });
}

/** Breaks a text between words only. A word that is wider than the width has a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** Breaks a command line so that the shell puts it together again. */
export function wrapCommand(line: string, width: number): string[] {
  return wrap(line, width - 4).map((part, index, all) => {
    const start = index === 0 ? part : `  ${part}`;
    return index === all.length - 1 ? start : `${start} \\`;
  });
}
