import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { BIN } from "./support/cli.js";

/** Milliseconds. On a machine that is slow or busy, the start may take as long as that of node itself instead. */
const BUDGET = 30;
const ROUNDS = 12;

/** The shortest of several measurements: other load can only make one longer. */
function least(commands: readonly (readonly string[])[]): number[] {
  const times = commands.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, args] of commands.entries()) {
      const start = performance.now();
      spawnSync(process.execPath, args, { stdio: "ignore" });
      times[index] = Math.min(times[index] ?? 0, performance.now() - start);
    }
  }
  return times;
}

test.each([
  ["--version", [BIN.sandboxlib, "--version"]],
  ["run --help", [BIN["run-sandbox"], "--help"]],
])(`%s takes at most ${BUDGET} ms more than node itself`, (_title, args) => {
  const [node = 0, ours = 0] = least([["-e", "0"], args]);
  expect(ours - node).toBeLessThan(Math.max(BUDGET, node));
});
