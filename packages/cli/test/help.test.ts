import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commandNames } from "../src/commands.js";
import { helpFor, overview } from "../src/help.js";
import { runSandbox, sandboxlib } from "./support/cli.js";

const PAGE = readFileSync(join(import.meta.dirname, "../../../docs/cli.md"), "utf8");

test("docs/cli.md says what the help says", () => {
  expect(PAGE).toContain(overview().trimEnd());
  for (const name of commandNames()) {
    const calledAs = name === "run" ? "run-sandbox" : `sandboxlib ${name}`;
    expect(PAGE).toContain(`\`\`\`text\n${helpFor(name, calledAs).trimEnd()}\n\`\`\``);
  }
});

test.each(commandNames())("`sandboxlib %s --help` prints its part of the page", async (command) => {
  const { stdout, exitCode } = await (command === "run"
    ? runSandbox(["--help"])
    : sandboxlib([command, "-h"]));
  expect(exitCode).toBe(0);
  expect(PAGE).toContain(stdout.trimEnd());
});

test("no line of the help is wider than 100 columns", () => {
  const wide = PAGE.split("\n").filter((line) => line.length > 100 && !line.startsWith("<!--"));
  expect(wide).toEqual([]);
});

test("without a command the help goes to standard error, as wrong usage", async () => {
  expect(await sandboxlib([])).toMatchObject({ exitCode: 2, stdout: "", stderr: overview() });
});
