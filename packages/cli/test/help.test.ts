import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commandNames, ENVIRONMENT } from "../src/commands.js";
import { helpFor, overview } from "../src/help.js";
import { manPage } from "../src/man-page.js";
import { optionsOf } from "../src/options.js";
import { runSandbox, sandboxlib } from "./support/cli.js";
import { testUnless } from "./support/test-unless.js";
import { lackOf } from "./support/tool.js";

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
    : sandboxlib([...command.split(" "), "-h"]));
  expect(exitCode).toBe(0);
  expect(PAGE).toContain(stdout.trimEnd());
});

test("no line of the help is wider than 100 columns", () => {
  const wide = PAGE.split("\n").filter((line) => line.length > 100 && !line.startsWith("<!--"));
  expect(wide).toEqual([]);
});

test.each([30, 44, 61, 80, 120, 200])(
  "in %i columns no word is broken, and no line is wider",
  (width) => {
    for (const name of commandNames()) {
      const narrow = helpFor(name, "run-sandbox", width);
      expect(wordsOf(narrow)).toEqual(wordsOf(helpFor(name, "run-sandbox", 10_000)));
      const wide = narrow.split("\n").filter((line) => line.length > width);
      // What has no space to break at, and the forms of a command, which are read as they are.
      expect(wide.filter((line) => !/^ *\S+( \S+)?$|^Usage:|^ {3}or:/.test(line))).toEqual([]);
    }
    expect(wordsOf(overview(width))).toEqual(wordsOf(overview(10_000)));
  },
);

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "\\" && word !== "");
}

test("the help fills the terminal", async () => {
  const [wide, narrow] = [helpFor("run", "run-sandbox", 160), helpFor("run", "run-sandbox", 50)];
  const longest = (text: string) => Math.max(...text.split("\n").map(({ length }) => length));
  expect([longest(wide) > 120, longest(narrow) <= 55]).toEqual([true, true]);
});

test.each([
  [["help"], ["--help"]],
  [
    ["help", "explain"],
    ["explain", "--help"],
  ],
  [["version"], ["--version"]],
])("`sandboxlib` with %j prints what it does with %j", async (words, options) => {
  expect(await sandboxlib(words)).toEqual(await sandboxlib(options));
});

test.each([
  [["help", "explian"], '"explian": unknown command. Did you mean explain?'],
  [["help", "run", "now"], '"now": is one word too many'],
  [["version", "now"], '"now": `version` takes options only'],
])("`sandboxlib` with %j is wrong usage", async (args, message) => {
  const { exitCode, stderr } = await sandboxlib(args);
  expect([exitCode, stderr.split("\n")[0]]).toEqual([2, `sandboxlib: ${message}`]);
});

test("the help names every variable of the environment that the sources read", () => {
  const packages = join(import.meta.dirname, "../..");
  const read = ["cli", "core", "image", "image-appc", ...backends(packages)].flatMap((name) =>
    readdirSync(join(packages, name, "src"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => readFileSync(join(packages, name, "src", file), "utf8"))
      .flatMap((text) => [...text.matchAll(/process\.env\["(\w+)"\]/g)].map(([, word]) => word)),
  );
  expect(read).toContain("SANDBOXLIB_BACKEND");
  const named = ENVIRONMENT.map(([name]) => name);
  expect(read.filter((name = "") => !named.includes(name))).toEqual([]);
  for (const name of named) expect(overview()).toContain(`  ${name}`);
});

function backends(packages: string): string[] {
  return readdirSync(packages).filter((name) => name.startsWith("backend-"));
}

testUnless(
  lackOf("/usr/bin/man"),
  "the manual pages are well formed, and name every option",
  () => {
    for (const name of [undefined, ...commandNames()]) {
      const shown = spawnSync("/usr/bin/man", ["--warnings", "-E", "UTF-8", "-l", "-"], {
        input: manPage(name),
        encoding: "utf8",
        env: { PATH: process.env["PATH"], MANWIDTH: "200", LC_ALL: "C.UTF-8" },
      });
      expect([shown.status, shown.stderr]).toEqual([0, ""]);
      const options = name === undefined ? [] : optionsOf(name);
      expect(options.filter((option) => !shown.stdout.includes(`--${option}`))).toEqual([]);
    }
  },
);

test("without a command the help goes to standard error, as wrong usage", async () => {
  expect(await sandboxlib([])).toMatchObject({ exitCode: 2, stdout: "", stderr: overview() });
});
