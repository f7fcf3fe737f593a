/**
 * Runs each variant once a round, so that whatever slows the machine down slows them all down, and in a new order each
 * round, because the kernel goes on taking the namespaces of a run down while the next one is timed.
 * Returns the median and the quartiles of each, in milliseconds.
 */
export async function measure(runs, rounds) {
  const times = Object.fromEntries(Object.keys(runs).map((name) => [name, []]));
  for (let round = -Math.ceil(rounds / 10); round < rounds; round += 1) {
    for (const [name, run] of shuffled(Object.entries(runs))) {
      const start = performance.now();
      await run();
      if (round >= 0) times[name].push(performance.now() - start);
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, all]) => [name, quartiles(all)]));
}

function quartiles(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.floor(share * (sorted.length - 1))];
  return { median: at(0.5), lower: at(0.25), upper: at(0.75) };
}

function shuffled(entries) {
  return entries
    .map((entry) => ({ entry, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ entry }) => entry);
}
