// Compares our runs with the bare tools and with other libraries, side by side in one run, because only ratios mean
// something on a shared machine. `pnpm bench` runs it. `--series NAME` takes only that one (again for more),
// `--rounds N` sets how often (200), `--json FILE`, `--svg FILE` and `--page FILE` keep what was found.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { closeInherited } from "./inherited.mjs";
import { machine, machineLine } from "./machine.mjs";
import { measure, measureTogether } from "./measure.mjs";
import { chart } from "./report/chart.mjs";
import { page } from "./report/page.mjs";
import { table, verdictLines } from "./report/table.mjs";
import { SERIES } from "./series/all.mjs";

const text = { type: "string" };
const { values } = parseArgs({
  options: {
    series: { type: "string", multiple: true, default: Object.keys(SERIES) },
    rounds: { type: "string", default: "200" },
    json: text,
    svg: text,
    page: text,
  },
});
closeInherited();
const report = { machine: await machine(), series: [] };
console.log(machineLine(report.machine));
for (const name of values.series) {
  if (SERIES[name] === undefined)
    throw new Error(`${name} is none of ${Object.keys(SERIES).join(", ")}`);
  const result = await resultOf(await SERIES[name](Number(values.rounds)));
  console.log(`\n${result.title}\n${table(result)}`);
  for (const line of verdictLines(result)) console.log(`  ${line}`);
  if (result.verdicts.some(({ holds }) => holds === false)) process.exitCode = 1;
  report.series.push(result);
  keep();
}

/** After each series, so that one that fails does not take what was found before with it. */
function keep() {
  const { json, svg, page: markdown } = values;
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  if (svg !== undefined) writeFileSync(svg, chart(report));
  if (markdown !== undefined) writeFileSync(markdown, page(report));
}

async function resultOf({ points, together, budgets = () => [], close, ...described }) {
  try {
    const all = together ? await measureTogether(points) : [];
    const measured = [];
    for (const [at, { label, rounds, runs }] of points.entries()) {
      measured.push({ label, rounds, figures: all[at] ?? (await measure(runs, rounds)) });
    }
    const verdicts = points.length === 0 ? [] : budgets(...measured.map(({ figures }) => figures));
    return { ...described, points: measured, verdicts };
  } finally {
    await close?.();
  }
}
