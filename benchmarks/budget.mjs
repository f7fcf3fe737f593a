/** At most the bare tool's median, a share of it, and a fixed number of milliseconds. */
export function withinBudget(figures, ours, bare, share, milliseconds) {
  const allowed = figures[bare].median * (1 + share) + milliseconds;
  const text = `${ours} ${figures[ours].median.toFixed(2)} ms, allowed ${allowed.toFixed(2)} ms (${bare} + ${share * 100}% + ${milliseconds} ms)`;
  return { text, holds: figures[ours].median <= allowed };
}
