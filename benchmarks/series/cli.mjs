import { fileURLToPath } from "node:url";
import { withinBudget } from "../budget.mjs";
import { bare } from "../spawn.mjs";

const bin = fileURLToPath(
  new URL("../../node_modules/@sandboxlib/cli/bin/sandboxlib.js", import.meta.url),
);

/** What the command line adds to the start of Node itself. */
export async function cliSeries(rounds) {
  return {
    title: "command line: start",
    unit: "ms",
    points: [
      {
        rounds: Math.ceil(rounds / 5),
        runs: {
          "node -e 0": () => bare([process.execPath, "-e", "0"]),
          "sandboxlib --version": () => bare([process.execPath, bin, "--version"]),
          "sandboxlib --help": () => bare([process.execPath, bin, "--help"]),
          "sandboxlib schema (loads the schema)": () => bare([process.execPath, bin, "schema"]),
          "run-sandbox -- true (probes, chooses, runs)": () =>
            bare([
              process.execPath,
              bin,
              "run",
              "--degrade",
              "--cwd",
              "/",
              "--quiet",
              "--",
              "true",
            ]),
        },
      },
    ],
    skipped: {},
    budgets: (figures) =>
      ["sandboxlib --version", "sandboxlib --help"].map((name) =>
        withinBudget(figures, name, "node -e 0", 0, 30),
      ),
  };
}
