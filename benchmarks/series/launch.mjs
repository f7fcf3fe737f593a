import { atMost } from "../budget.mjs";
import { CONTENDERS, prepare, RIVALS } from "../contenders/all.mjs";

/** The ways to run a command of the default backend. */
const OURS = ["namespaces", "session", "pool"];

/** What one run costs once everything that can be made ready before it has been. */
export async function launchSeries(rounds) {
  const { ready, skipped, close } = await prepare(Object.keys(CONTENDERS), { argv: ["/bin/true"] });
  return {
    name: "launch",
    title: "Launch: /bin/true, everything isolated, from Node, until all is closed",
    unit: "ms",
    points: [{ rounds, runs: runsOf(ready) }],
    skipped,
    budgets: (figures) => [
      atMost(figures, "sandboxlib, namespaces", "bwrap", 0.65),
      atMost(figures, "sandboxlib, session", "plain spawn", 1),
      atMost(figures, "sandboxlib, pool", "plain spawn", 0.75),
      atMost(figures, "sandboxlib, pool", "sandboxlib, session", 1.1),
      ...RIVALS.flatMap((rival) =>
        OURS.map((ours) => atMost(figures, `sandboxlib, ${ours}`, rival, 0.25)),
      ),
    ],
    close,
  };
}

function runsOf(ready) {
  return Object.fromEntries(
    Object.entries(ready).map(([name, contender]) => [name, () => timed(contender)]),
  );
}

/** What is made ready in the background is waited for on both sides: it is no part of the run, nor of the next one's. */
async function timed({ run, ready }) {
  await ready?.();
  const start = performance.now();
  await run();
  const elapsed = performance.now() - start;
  await ready?.();
  return elapsed;
}
