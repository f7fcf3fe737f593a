/** At most the bare tool's median, a share of it, and a fixed number of milliseconds. */
export function withinBudget(figures, ours, bare, share, milliseconds) {
  return compare(figures, [ours, bare], () => {
    const allowed = figures[bare].median * (1 + share) + milliseconds;
    const text = `${ours} ${figures[ours].median.toFixed(2)} ms, allowed ${allowed.toFixed(2)} ms (${bare} + ${share * 100}% + ${milliseconds} ms)`;
    return { text, holds: figures[ours].median <= allowed };
  });
}

/** At most this many times the other's median. */
export function atMost(figures, ours, other, limit) {
  return compare(figures, [ours, other], () => {
    const ratio = figures[ours].median / figures[other].median;
    return { text: `${said(ours, other, ratio)}, at most ${limit}`, holds: ratio <= limit };
  });
}

/** At least this many times the other's median. */
export function atLeast(figures, ours, other, limit) {
  return compare(figures, [ours, other], () => {
    const ratio = figures[ours].median / figures[other].median;
    return { text: `${said(ours, other, ratio)}, at least ${limit}`, holds: ratio >= limit };
  });
}

/** A budget with one side missing is neither kept nor broken, and must not pass for kept. */
function compare(figures, names, verdict) {
  const absent = names.filter((name) => figures[name] === undefined);
  if (absent.length === 0) return verdict();
  return { text: `${names.join(" against ")}: ${absent.join(" and ")} was skipped` };
}

function said(ours, other, ratio) {
  return `${ours} is ${ratio.toFixed(2)} of ${other}`;
}
