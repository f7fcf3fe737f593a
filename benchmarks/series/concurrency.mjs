import { CONTENDERS, prepare } from "../contenders/all.mjs";

const LEAST = 32;

/** How many runs a second are done when so many are under way at a time. */
export async function concurrencySeries(rounds) {
  const { ready, skipped, close } = await prepare(Object.keys(CONTENDERS), { argv: ["/bin/true"] });
  return {
    name: "concurrency",
    title: "Launches per second, so many at a time; a pool refills meanwhile",
    unit: "/s",
    points: [1, 4, 16, 64].map((concurrency) => ({
      label: `${concurrency} at a time`,
      rounds: Math.ceil(rounds / 40),
      runs: runsOf(ready, concurrency),
    })),
    skipped,
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
