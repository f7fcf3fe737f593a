import { digits, rowsOf } from "./rows.mjs";

/** A result as cells of text: a head, then a row for each contender. */
export function cellsOf(result) {
  const rows = rowsOf(result);
  if (result.points.length !== 1) {
    const labels = result.points.map(({ label }) => `${label}, ${result.unit}`);
    const median = (figure) => (figure === undefined ? "-" : digits(figure.median));
    return [["", ...labels], ...rows.map(({ name, cells }) => [name, ...cells.map(median)])];
  }
  const [first] = rows;
  return [
    ["", `median, ${result.unit}`, "middle half", `to ${first.name}`],
    ...rows.map(({ name, cells: [{ median, lower, upper }] }) => [
      name,
      digits(median),
      `${digits(lower)} to ${digits(upper)}`,
      (median / first.cells[0].median).toFixed(2),
    ]),
  ];
}

/** A result as aligned lines. */
export function table(result) {
  if (result.points.length === 0) return "";
  const rows = cellsOf(result);
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const pad = (cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at]));
  return rows.map((row) => `  ${row.map(pad).join("   ")}`).join("\n");
}

/** What was skipped, and which budgets hold. */
export function verdictLines({ skipped, verdicts }) {
  return [
    ...Object.entries(skipped).map(([name, reason]) => `skipped: ${name}: ${reason}`),
    ...verdicts.map(({ text, holds }) => `${word(holds)}: ${text}`),
  ];
}

function word(holds) {
  if (holds === undefined) return "NOT CHECKED";
  return holds ? "holds" : "FAILS";
}
