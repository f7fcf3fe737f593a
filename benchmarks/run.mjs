// Compares our runs with the bare tools, side by side in one run, because only ratios mean something on a shared
// machine. `pnpm bench` runs it; `pnpm bench --json FILE` keeps the figures, `--rounds N` sets how many (200).
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { closeInherited } from "./inherited.mjs";
import { measure } from "./measure.mjs";
import { bubblewrapSeries } from "./series/bubblewrap.mjs";
import { chrootSeries } from "./series/chroot.mjs";
import { cliSeries } from "./series/cli.mjs";
import { table } from "./table.mjs";

closeInherited();
const { values } = parseArgs({ options: { json: { type: "string" }, rounds: { type: "string" } } });
const rounds = Number(values.rounds ?? 200);
const results = [];
for (const series of [bubblewrapSeries, chrootSeries, cliSeries]) {
  const { title, skipped, variants, budgets } = await series(rounds);
  console.log(`\n${title}`);
  if (skipped !== undefined) {
    console.log(`  skipped: ${skipped}`);
    continue;
  }
  const figures = await measure(variants.runs, variants.rounds);
  const verdicts = budgets(figures);
  console.log(table(figures));
  for (const { text, holds } of verdicts) console.log(`  ${holds ? "holds" : "FAILS"}: ${text}`);
  if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1;
  results.push({ title, rounds: variants.rounds, figures, verdicts });
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
