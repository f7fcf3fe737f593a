import { finished } from "node:stream/promises";
import { atLeast } from "../budget.mjs";
import { prepare } from "../contenders/all.mjs";
import { fifoSpawn, plainRun, plainSpawn } from "../output.mjs";

const MIB = 1024 * 1024;
const PIPED = 1024;
const CAPTURED = 256;
const NAMES = [
  "sandboxlib, bubblewrap",
  "sandboxlib, namespaces",
  "sandboxlib, session",
  "sandboxlib, pool",
];

/** How fast zeros come out of a sandbox: through a pipe that is read, and collected into the result. */
export async function throughputSeries(rounds) {
  const { ready, skipped, close } = await prepare(NAMES, { argv: ["/bin/true"] });
  const contenders = Object.entries(ready).map(([name, { maker }]) => [name, maker]);
  const plain = [["plain spawn", { spawn: plainSpawn, run: plainRun }]];
  const fifo = [["plain spawn, pipe(2)", { spawn: fifoSpawn }]];
  return {
    name: "throughput",
    title: "Output: zeros that dd writes, 64 KiB at a time",
    unit: "MiB/s",
    points: [
      point(`${PIPED} MiB, pipe`, rounds, [...plain, ...fifo, ...contenders], piped),
      point(`${CAPTURED} MiB, captured`, rounds, [...plain, ...contenders], captured),
    ],
    skipped,
    budgets: (pipe, capture) => [
      said("pipe", atLeast(pipe, "sandboxlib, namespaces", "plain spawn", 1)),
      said("pipe", atLeast(pipe, "sandboxlib, session", "plain spawn", 1)),
      said("pipe", atLeast(pipe, "sandboxlib, session", "plain spawn, pipe(2)", 0.9)),
      said("captured", atLeast(capture, "sandboxlib, namespaces", "plain spawn", 1)),
      said("captured", atLeast(capture, "sandboxlib, session", "plain spawn", 1)),
    ],
    close,
  };
}

function said(label, verdict) {
  return { ...verdict, text: `${label}: ${verdict.text}` };
}

function point(label, rounds, contenders, speed) {
  return {
    label,
    rounds: Math.ceil(rounds / 20),
    runs: Object.fromEntries(contenders.map(([name, maker]) => [name, () => speed(maker)])),
  };
}

async function piped(maker) {
  const start = performance.now();
  const child = await maker.spawn(zeros(PIPED), { stdin: "discard", stderr: "discard" });
  let bytes = 0;
  child.stdout.on("data", (chunk) => {
    bytes += chunk.length;
  });
  await Promise.all([child.result, finished(child.stdout)]);
  return mebibytesPerSecond(bytes, PIPED, start);
}

async function captured(maker) {
  const start = performance.now();
  const { stdout } = await maker.run(zeros(CAPTURED), { maxOutput: CAPTURED * MIB });
  return mebibytesPerSecond(stdout.length, CAPTURED, start);
}

function zeros(mebibytes) {
  return ["/bin/dd", "if=/dev/zero", "bs=64k", `count=${mebibytes * 16}`, "status=none"];
}

function mebibytesPerSecond(bytes, expected, start) {
  if (bytes !== expected * MIB) throw new Error(`${bytes} bytes came, not ${expected} MiB`);
  return (expected * 1000) / (performance.now() - start);
}
