// Runs a command many times in a row, in sandboxes of their own, in one session and through a pool, and fails when
// anything is left behind: memory, fds, mounts, processes, namespaces, cgroups, temporary files.
// `node scripts/soak.mjs --launches 20000 --backend namespaces`; with `--limited` each sandbox has a cgroup.
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createPool, createSandbox } from "@sandboxlib/core";

const { values } = parseArgs({
  options: {
    launches: { type: "string", default: "20000" },
    backend: { type: "string", default: "namespaces" },
    limited: { type: "boolean", default: false },
  },
});
const launches = Number(values.launches);
/** What may be left for a moment, or varies by itself. */
const SLACK = {
  "memory, MiB": 64,
  // Pipes are made ahead, seven at a time.
  fds: 16,
  mounts: 0,
  children: 1,
  // Of the whole host, where others make sandboxes, too.
  namespaces: 64,
  // Of a sandbox of the pool that is just being made: one in each hierarchy of version 1.
  cgroups: 8,
  "temporary files": 0,
};
const limits = values.limited ? { processes: 100 } : {};
const config = { command: ["/bin/true"], cwd: "/", limits };
// Of its own: what lies in the one of everybody is not ours.
process.env.TMPDIR = mkdtempSync(join(tmpdir(), "sandboxlib-soak-"));
process.on("exit", () => rmSync(process.env.TMPDIR, { recursive: true }));
const sandbox = await createSandbox(config, { backend: values.backend });

await soak("runs", () => sandbox.run());
const session = await sandbox.openSession();
await soak("session runs", () => session.run());
await session.close();
const pool = await createPool(config, { backend: values.backend, size: 4 });
await soak(
  "pool runs",
  () => pool.run(),
  () => pool.ready(),
);
await pool.close();

/** Two at a time, one for each core; the first tenth brings everything to its working size. What refills itself settles first. */
async function soak(title, run, settle = async () => undefined) {
  await times(launches / 10, run);
  await settle();
  const before = await state();
  const start = performance.now();
  await times(launches, run);
  const seconds = (performance.now() - start) / 1000;
  await settle();
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
    namespaces: new Set(readdirSync("/proc").flatMap(namespacesOf)).size,
    cgroups: cgroupsIn("/sys/fs/cgroup"),
    "temporary files": readdirSync(tmpdir()).length,
  };
}

function namespacesOf(pid) {
  const directory = `/proc/${pid}/ns`;
  try {
    return /^\d+$/.test(pid)
      ? readdirSync(directory).map((name) => readlinkSync(join(directory, name)))
      : [];
  } catch {
    return []; // It has ended, or is somebody else's.
  }
}

function cgroupsIn(directory) {
  let count = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    if (entry.name.startsWith("sandboxlib-") && entry.name.includes(`-${process.pid}-`)) count += 1;
    count += cgroupsIn(join(directory, entry.name));
  }
  return count;
}
