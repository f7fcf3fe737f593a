/** The figures as lines of text: median and quartiles in milliseconds, and the ratio to the first variant. */
export function table(figures) {
  const [first] = Object.values(figures);
  const width = Math.max(...Object.keys(figures).map((name) => name.length));
  return Object.entries(figures)
    .map(([name, { median, lower, upper }]) => {
      const range = `${lower.toFixed(2)} to ${upper.toFixed(2)}`;
      const ratio = (median / first.median).toFixed(2);
      return `  ${name.padEnd(width)}  ${median.toFixed(2).padStart(8)} ms  (${range})  x ${ratio}`;
    })
    .join("\n");
}
