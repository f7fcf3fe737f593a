// How long the kit takes: for a small backend, whose author runs it after each change, at most 20 seconds on a machine that
// does nothing else; for namespaces, which has every case, a bound on the processor time, which differs less between
// machines and on a busy one: `node benchmarks/kit.mjs`.
import { spawnSync } from "node:child_process";

const KITS = [
  {
    name: "a small backend, of docs/writing-a-backend.md",
    file: "packages/conformance/test/writing-a-backend.test.ts",
    budget: { wall: 20 },
  },
  {
    name: "namespaces",
    file: "packages/backend-namespaces/test/conformance.test.ts",
    budget: { processor: 80 },
  },
];

for (const { name, file, budget } of KITS) {
  const times = timesOf(["scripts/test-root.mjs", file]);
  const said = ([what, kind]) => {
    const allowed = budget[kind] === undefined ? "" : ` of ${budget[kind]} s that it may take`;
    return `${times[kind].toFixed(1)} s${what}${allowed}`;
  };
  const parts = Object.entries({ "": "wall", " of processor time": "processor" }).map(said);
  console.log(`${name}: ${parts.join("; ")}`);
  if (Object.entries(budget).some(([kind, most]) => times[kind] > most)) process.exitCode = 1;
}

/** In seconds; for a run that has failed they mean nothing. */
function timesOf(argv) {
  const script = '"$@" >&2 && times';
  const before = performance.now();
  const { status, stdout, stderr } = spawnSync(
    "/bin/sh",
    ["-c", script, "sh", process.execPath, ...argv],
    { encoding: "utf8", maxBuffer: 2 ** 26 },
  );
  const wall = (performance.now() - before) / 1000;
  if (status !== 0) throw new Error(stderr.slice(-4000));
  // The second line is about the children: user and system time.
  const children = stdout.trim().split("\n")[1] ?? "";
  const seconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, rest]) => Number(minutes) * 60 + Number(rest),
  );
  return { wall, processor: seconds.reduce((sum, each) => sum + each, 0) };
}
