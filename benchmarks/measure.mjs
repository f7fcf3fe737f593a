/**
 * Runs each variant once a round, so that whatever slows the machine down slows them all down, and in a new order each
 * round, because the kernel goes on taking the namespaces of a run down while the next one is timed.
 * A run that resolves to a number has measured itself; any other is timed, in milliseconds.
 * Returns the median and the quartiles of each.
 */
export async function measure(runs, rounds) {
  const values = Object.fromEntries(Object.keys(runs).map((name) => [name, []]));
  for (let round = -Math.ceil(rounds / 10); round < rounds; round += 1) {
    for (const [name, run] of shuffled(Object.entries(runs))) {
      const start = performance.now();
      const measured = await run();
      const value = typeof measured === "number" ? measured : performance.now() - start;
      if (round >= 0) values[name].push(value);
    }
  }
  return Object.fromEntries(Object.entries(values).map(([name, all]) => [name, quartiles(all)]));
}

/** The same for points that are compared with each other: the runs of all of them take turns. */
export async function measureTogether(points) {
  const named = points.flatMap(({ runs }, at) =>
    Object.entries(runs).map(([name, run]) => ({ name, at, run, key: `${at} ${name}` })),
  );
  const runs = Object.fromEntries(named.map(({ key, run }) => [key, run]));
  const figures = await measure(runs, Math.max(...points.map(({ rounds }) => rounds)));
  return points.map((_, at) =>
    Object.fromEntries(
      named.filter((one) => one.at === at).map(({ name, key }) => [name, figures[key]]),
    ),
  );
}

function shuffled(entries) {
  return entries
    .map((entry) => ({ entry, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ entry }) => entry);
}

function quartiles(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.floor(share * (sorted.length - 1))];
  return { median: at(0.5), lower: at(0.25), upper: at(0.75) };
}
