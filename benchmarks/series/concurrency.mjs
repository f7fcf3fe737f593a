import { atLeast } from "../budget.mjs";
import { CONTENDERS, prepare } from "../contenders/all.mjs";

const LEAST = 32;
/** So many at a time, and what a pool has to do of what runs without one do: where it is empty, both do the same. */
const POINTS = [
  { atATime: 1, least: 1 },
  { atATime: 8, least: 0.95 },
  { atATime: 64, least: 0.95 },
];

/** How many runs a second are done when so many are under way at a time. */
export async function concurrencySeries(rounds) {
  const { ready, skipped, close } = await prepare(Object.keys(CONTENDERS), { argv: ["/bin/true"] });
  return {
    name: "concurrency",
    title: "Launches per second, so many at a time; a pool refills meanwhile",
    unit: "/s",
    points: POINTS.map(({ atATime }) => ({
      label: `${atATime} at a time`,
      rounds: Math.ceil(rounds / 40),
      runs: runsOf(ready, atATime),
    })),
    skipped,
    budgets: (...points) =>
      points.map((figures, index) => {
        const { atATime, least } = POINTS[index];
        const verdict = atLeast(figures, "sandboxlib, pool", "sandboxlib, namespaces", least);
        return { ...verdict, text: `${atATime} at a time: ${verdict.text}` };
      }),
    close,
  };
}

function runsOf(ready, concurrency) {
  return Object.fromEntries(
    Object.entries(ready).map(([name, contender]) => [name, () => rate(contender, concurrency)]),
  );
}

/** The clock stops when a pool is as full as it was, or the runs that it was filled for would be free. */
async function rate({ run, ready }, concurrency) {
  const launches = Math.max(LEAST, 2 * concurrency);
  let left = launches;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await run();
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: concurrency }, worker));
  await ready?.();
  return (launches * 1000) / (performance.now() - start);
}
