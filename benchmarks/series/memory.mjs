import { setTimeout as sleep } from "node:timers/promises";
import { createPool, createSandbox } from "@sandboxlib/core";
import { prepare } from "../contenders/all.mjs";
import { configWith } from "../contenders/library.mjs";
import { descendants, kernelMemory, memoryOf } from "../processes.mjs";

/** As many as Node has threads for one of the other libraries, which blocks one for each run. */
const LIVE = 4;
const PROGRAM = { argv: ["/bin/sleep", "2"], name: "sleep" };
const NAMES = [
  "unshare",
  "bwrap",
  "nsjail",
  "crun",
  "runc",
  "sandboxlib, bubblewrap",
  "sandboxlib, namespaces",
  "sandbox-runtime",
  "mxc-sdk",
];
const WAITING = {
  "sandboxlib, session without a command": idleSessions,
  "sandboxlib, waiting in a pool": waitingPool,
};
/** So many that what else happens on the machine does not matter. */
const MANY = 64;

/** What the processes of a live sandbox hold beside the program that runs in it. */
export async function memorySeries(rounds) {
  const { ready, skipped, close } = await prepare(NAMES, PROGRAM);
  const waiting = "sandboxlib, namespaces" in ready ? Object.entries(WAITING) : [];
  const running = Object.entries(ready).map(([name, { run }]) => [name, () => allRunning(run)]);
  const point = (label, starts, measured) => ({
    label,
    rounds: Math.ceil(rounds / 100),
    runs: Object.fromEntries(starts.map(([name, start]) => [name, () => measured(start)])),
  });
  return {
    name: "memory",
    title: "Memory of a live sandbox without its program: launcher, pid 1, helpers",
    unit: "KiB",
    points: [
      point("PSS", [...running, ...waiting], (start) => mapped(start, "proportional")),
      point("private", [...running, ...waiting], (start) => mapped(start, "private")),
      point("in the kernel", waiting, inKernel),
    ],
    skipped,
    close,
  };
}

async function mapped(start, kind) {
  const before = new Set(descendants().map(({ pid }) => pid));
  const end = await start(LIVE);
  const processes = descendants().filter(
    ({ pid, name }) => !before.has(pid) && name !== PROGRAM.name,
  );
  const all = processes.map(({ pid }) => memoryOf(pid)[kind]);
  await end();
  return all.reduce((sum, one) => sum + one, 0) / LIVE;
}

async function inKernel(start) {
  const before = kernelMemory();
  const end = await start(MANY);
  const after = kernelMemory();
  await end();
  return (after - before) / MANY;
}

/** Starts the programs, waits until all are there, and returns what waits for their end. */
async function allRunning(run) {
  const runs = Promise.all(Array.from({ length: LIVE }, run));
  const live = async () => {
    while (descendants().filter(({ name }) => name === PROGRAM.name).length < LIVE) await sleep(20);
    return () => runs;
  };
  return Promise.race([live(), runs.then(() => Promise.reject(new Error("they ended too soon")))]);
}

async function idleSessions(count) {
  const sandbox = await createSandbox(configWith([]), { backend: "namespaces" });
  const sessions = await Promise.all(Array.from({ length: count }, () => sandbox.openSession()));
  return () => Promise.all(sessions.map((session) => session.close()));
}

async function waitingPool(size) {
  const pool = await createPool(configWith([]), { size, backend: "namespaces" });
  await pool.ready();
  return () => pool.close();
}
