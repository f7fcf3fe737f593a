// Starts vitest in a process group of its own and hands signals on to the whole group, so that
// whoever waits for it can clean up afterwards and no test worker outlives the run.
import { spawn } from "node:child_process";

const vitest = ["node_modules/vitest/vitest.mjs", "run"];

/** Runs `[...prefix, node, vitest, ...args]` and returns the exit code. */
export async function runVitest({ prefix = [], node = process.execPath, args = [], ...options }) {
  const [file, ...rest] = [...prefix, node, ...vitest, ...args];
  const child = spawn(file, rest, { ...options, stdio: "inherit", detached: true });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  const forward = (signal) => killGroup(child, signal);
  for (const signal of signals) process.on(signal, forward);
  try {
    return await exitCode(child);
  } finally {
    killGroup(child, "SIGKILL");
    for (const signal of signals) process.off(signal, forward);
  }
}

function exitCode(child) {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

function killGroup({ pid }, signal) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}
