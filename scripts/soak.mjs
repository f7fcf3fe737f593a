// Runs a command many times in a row, in sandboxes of their own, in one session and through a pool, and fails when
// anything is left behind: memory, fds, mounts, processes, namespaces, temporary files.
// `node scripts/soak.mjs --launches 20000 --backend namespaces`
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createPool, createSandbox } from "@sandboxlib/core";

const { values } = parseArgs({
  options: {
    launches: { type: "string", default: "20000" },
    backend: { type: "string", default: "namespaces" },
  },
});
const launches = Number(values.launches);
/** What may be left for a moment, or varies by itself. */
const SLACK = { "memory, MiB": 64, fds: 2, mounts: 0, children: 1, "temporary files": 0 };
const config = { command: ["/bin/true"], cwd: "/" };
const sandbox = await createSandbox(config, { backend: values.backend });

await soak("runs", () => sandbox.run());
const session = await sandbox.openSession();
await soak("session runs", () => session.run());
await session.close();
const pool = await createPool(config, { backend: values.backend, size: 4 });
await soak("pool runs", () => pool.run());
await pool.close();

/** Two at a time, one for each core; the first tenth brings everything to its working size. */
async function soak(title, run) {
  await times(launches / 10, run);
  const before = await state();
  const start = performance.now();
  await times(launches, run);
  const seconds = (performance.now() - start) / 1000;
  const after = await state();
  console.log(`${launches} ${title} in ${seconds.toFixed(1)} s`);
  for (const [name, value] of Object.entries(after)) {
    const allowed = before[name] + SLACK[name];
    console.log(`  ${name.padEnd(16)} ${before[name]} before, ${value} after`);
    if (value <= allowed) continue;
    console.log(`  FAILS: ${name} may be at most ${allowed}`);
    process.exitCode = 1;
  }
}

async function times(count, run) {
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      const { outcome, exitCode } = await run();
      if (outcome !== "exited" || exitCode !== 0) throw new Error(`${outcome} ${exitCode}`);
    }
  };
  await Promise.all([worker(), worker()]);
}

async function state() {
  globalThis.gc?.();
  await setTimeout(500);
  return {
    "memory, MiB": Math.round(process.memoryUsage().rss / 2 ** 20),
    fds: readdirSync("/proc/self/fd").length,
    mounts: readFileSync("/proc/self/mountinfo", "utf8").split("\n").length,
    children: readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ")
      .length,
    "temporary files": readdirSync(tmpdir()).length,
  };
}
