import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { atMost } from "../budget.mjs";
import { prepare } from "../contenders/all.mjs";

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const NAMES = [
  "plain spawn",
  "sandboxlib, bubblewrap",
  "sandboxlib, namespaces",
  "sandboxlib, session",
];

/** A real program of some seconds: what the sandbox costs while it runs. */
export async function compileSeries(rounds) {
  const out = mkdtempSync(join(tmpdir(), "sandboxlib-bench-"));
  const binds = [
    { source: repository, target: repository },
    { source: out, target: out, readOnly: false },
  ];
  const { ready, skipped, close } = await prepare(NAMES, { argv: compile(out), binds });
  const runs = Object.entries(ready).map(([name, { run }]) => [name, () => timed(run, out)]);
  return {
    name: "compile",
    title: "Compile: tsc on packages/core, nothing kept from the compile before",
    unit: "ms",
    points: [{ rounds: Math.max(5, Math.ceil(rounds / 10)), runs: Object.fromEntries(runs) }],
    skipped,
    budgets: (figures) => NAMES.slice(-2).map((name) => atMost(figures, name, "plain spawn", 1.02)),
    close: async () => {
      await close();
      rmSync(out, { recursive: true, force: true });
    },
  };
}

function compile(out) {
  const tsc = join(repository, "node_modules", "typescript", "bin", "tsc");
  const project = join(repository, "packages", "core", "tsconfig.json");
  const info = ["--tsBuildInfoFile", join(out, "info")];
  return [process.execPath, tsc, "-p", project, "--outDir", out, ...info];
}

async function timed(run, out) {
  const start = performance.now();
  await run();
  const elapsed = performance.now() - start;
  const files = readdirSync(out);
  if (!files.includes("index.d.ts")) throw new Error("nothing was compiled");
  for (const file of files) rmSync(join(out, file), { recursive: true });
  return elapsed;
}
