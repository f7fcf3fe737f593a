import { expect, test } from "vitest";
import { overview } from "../src/help.js";
import { reference } from "../src/reference.js";
import { runSandbox, sandboxlib } from "./support/cli.js";

test("docs/cli.md says what the help says", async () => {
  await expect(reference()).toMatchFileSnapshot("../../../docs/cli.md");
});

test.each(["run", "backends", "doctor", "explain", "schema", "gc"])(
  "`sandboxlib %s --help` prints its part of the page",
  async (command) => {
    const { stdout, exitCode } = await (command === "run"
      ? runSandbox(["--help"])
      : sandboxlib([command, "-h"]));
    expect(exitCode).toBe(0);
    expect(reference()).toContain(stdout.trimEnd());
  },
);

test("no line of the help is wider than 100 columns", () => {
  const wide = reference()
    .split("\n")
    .filter((line) => line.length > 100 && !line.startsWith("<!--"));
  expect(wide).toEqual([]);
});

test("without a command the help goes to standard error, as wrong usage", async () => {
  expect(await sandboxlib([])).toMatchObject({ exitCode: 2, stdout: "", stderr: overview() });
});
