import { spawn } from "node:child_process";
import { execa } from "execa";

const unshare = ["unshare", "--mount", "--propagation", "private", "--"];
const vitest = ["node_modules/vitest/vitest.mjs", "run"];

/**
 * The words that give a command a mount namespace of its own, so that no mount reaches the host, whatever happens to a
 * test; none where the caller is not root on Linux, or may not do it.
 */
export async function ownMounts() {
  if (process.platform !== "linux" || process.getuid() !== 0) return [];
  const [file, ...args] = [...unshare, "true"];
  const { failed } = await execa(file, args, { reject: false });
  if (!failed) return unshare;
  console.log("unshare does not work here, so tests that mount do it on the host");
  return [];
}

/**
 * Runs `[...prefix, node, vitest, ...args]` and returns the exit code. It gets a process group of its own, to which
 * signals are handed on, so that whoever waits for it can clean up afterwards and no test worker outlives the run.
 */
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
