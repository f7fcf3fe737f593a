/** A result turned on its side: for each contender its figures in every column, undefined where it took no part. */
export function rowsOf({ points }) {
  const names = new Set(points.flatMap(({ figures }) => Object.keys(figures)));
  return [...names].map((name) => ({ name, cells: points.map(({ figures }) => figures[name]) }));
}

/** Three digits that mean something, and no more. */
export function digits(value) {
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}
