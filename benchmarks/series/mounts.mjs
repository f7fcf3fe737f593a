import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepare } from "../contenders/all.mjs";

const COUNTS = [1, 10, 100, 500, 1000];
const NAMES = [
  "bwrap",
  "nsjail",
  "crun",
  "runc",
  "sandboxlib, bubblewrap",
  "sandboxlib, namespaces",
];
const LINEAR = 1.5;

/** What read-only bind mounts add to a run. */
export async function mountsSeries(rounds) {
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-bench-"));
  const binds = makeBinds(directory);
  const prepared = [];
  for (const count of COUNTS) {
    prepared.push(await prepare(NAMES, { argv: ["/bin/true"], binds: binds.slice(0, count) }));
  }
  return {
    name: "mounts",
    title: "Bind mounts: /bin/true with 1 to 1,000 directories mounted read-only",
    unit: "ms",
    points: prepared.map(({ ready }, index) => ({
      label: `${COUNTS[index]}`,
      rounds: Math.ceil(rounds / 20),
      runs: Object.fromEntries(Object.entries(ready).map(([name, { run }]) => [name, run])),
    })),
    skipped: prepared[0].skipped,
    budgets: (...figures) => [linear(figures, "sandboxlib, namespaces")],
    close: async () => {
      for (const { close } of prepared) await close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function makeBinds(directory) {
  return Array.from({ length: COUNTS.at(-1) }, (_, index) => {
    const [source, target] = ["source", "target"].map((side) => join(directory, side, `${index}`));
    mkdirSync(source, { recursive: true });
    mkdirSync(target, { recursive: true });
    return { source, target };
  });
}

/** Were the time quadratic, a mount of the second half would cost three times as much as one of the first. */
function linear(figures, name) {
  if (figures[0][name] === undefined) return { text: `${name}: was skipped` };
  const [least, middle, most] = [0, -2, -1].map((at) => ({
    count: COUNTS.at(at),
    time: figures.at(at)[name].median,
  }));
  const early = perMount(least, middle);
  const late = perMount(middle, most);
  const text = `${name}: ${early.toFixed(1)} µs a mount up to ${middle.count}, ${late.toFixed(1)} µs from there to ${most.count}, at most ${LINEAR} times as much`;
  return { text, holds: late <= LINEAR * early };
}

function perMount(from, to) {
  return ((to.time - from.time) * 1000) / (to.count - from.count);
}
