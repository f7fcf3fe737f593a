import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Kills every process in the cgroups of one run: at once in version 2. In version 1 none of them can fork any more
 * where the pids controller is there, so that a few rounds get them all.
 */
export function killAll(directories: readonly string[]): void {
  for (const directory of directories) {
    if (processesIn(directory).length === 0 || attempt(join(directory, "cgroup.kill"), "1"))
      continue;
    for (const each of directories) attempt(join(each, "pids.max"), "0");
    for (let round = 0; round < ROUNDS; round += 1) {
      const pids = processesIn(directory);
      if (pids.length === 0) break;
      for (const pid of pids) kill(pid);
    }
  }
}

const ROUNDS = 10;

function attempt(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: "r+" });
    return true;
  } catch {
    return false;
  }
}

function processesIn(directory: string): number[] {
  try {
    const text = readFileSync(join(directory, "cgroup.procs"), "utf8");
    // A process of another pid namespace is shown as 0, which kill(2) would take for our own process group.
    return text
      .split("\n")
      .map(Number)
      .filter((pid) => pid > 1);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
