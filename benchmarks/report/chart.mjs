import { HEAD, panel, WIDTH } from "./panel.mjs";
import { rowsOf } from "./rows.mjs";

/** What is drawn, and of a series with many columns, which one. */
const PANELS = [
  { name: "launch" },
  { name: "concurrency", column: 2 },
  { name: "mounts", column: 4 },
  { name: "throughput", column: 0 },
  { name: "throughput", column: 1 },
  { name: "memory", column: 0 },
  { name: "heap", column: 2 },
  { name: "compile" },
];
const GAP = 24;

const STYLE = `
  svg { font: 13px system-ui, sans-serif; background: #fff; fill: #1f2328; }
  .title { font-weight: 600; }
  .bar { fill: #afb8c1; }
  .ours { fill: #0969da; }
  .whisker { stroke: #1f2328; }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117; fill: #e6edf3; }
    .bar { fill: #57606a; }
    .ours { fill: #4493f8; }
    .whisker { stroke: #e6edf3; }
  }
`;

/** The report as an SVG of bars, readable on light and dark, with nothing from elsewhere. */
export function chart({ machine, series }) {
  let y = HEAD;
  const drawn = [];
  for (const { name, column = 0 } of PANELS) {
    const result = series.find((one) => one.name === name);
    if (result?.points[column] === undefined) continue;
    const { svg, height } = panel(titleOf(result, column), barsOf(result, column), result.unit);
    drawn.push(`<g transform="translate(0 ${y})">\n${svg}\n</g>`);
    y += height + GAP;
  }
  const note = `Medians, with the middle half as a line. ${machine.cores} cores, Linux ${machine.kernel}, Node ${machine.node.slice(1)}.`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-label="Benchmarks">
<style>${STYLE}</style>
${drawn.join("\n")}
<text x="8" y="${y - 8}">${note}</text>
</svg>
`;
}

function titleOf({ title, points, unit }, column) {
  const { label } = points[column];
  const better = unit.endsWith("/s") ? "more is better" : "less is better";
  return `${title}${label === undefined ? "" : `: ${label}`} (${unit}, ${better})`;
}

function barsOf(result, column) {
  return rowsOf(result)
    .filter(({ cells }) => cells[column] !== undefined)
    .map(({ name, cells }) => ({ name, ...cells[column] }));
}
