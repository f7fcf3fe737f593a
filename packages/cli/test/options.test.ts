import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type CommandName, commandNames } from "../src/commands.js";
import { helpFor } from "../src/help.js";
import { isOptionName, OPTION_GROUPS, OPTIONS } from "../src/options.js";

const SRC = join(import.meta.dirname, "../src");
const PAGE = readFileSync(join(SRC, "../../../docs/cli.md"), "utf8");
const SOURCES = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => ({ file, text: readFileSync(join(SRC, file), "utf8") }));
const NAMES = Object.keys(OPTIONS).filter(isOptionName);

test.each(NAMES)("--%s is in the help and in docs/cli.md of the commands that take it", (name) => {
  const { argument, commands } = OPTIONS[name];
  const synopsis = `--${name}${argument === undefined ? "" : ` ${argument}`}`;
  const inHelp = commandNames().filter((command) =>
    helpOf(command).some((line) => line === synopsis || line.startsWith(`${synopsis} `)),
  );
  expect(inHelp).toEqual(commandNames().filter((command) => commands.includes(command)));
});

/** The lines of a section of docs/cli.md, which is the help of the command, without what stands before an option. */
function helpOf(command: CommandName): string[] {
  const help = helpFor(command, command === "run" ? "run-sandbox" : `sandboxlib ${command}`);
  expect(PAGE).toContain(help.trimEnd());
  return help.split("\n").map((line) => line.replace(/^ {2}(-\w, )?/, ""));
}

test("the table is in the order of the groups", () => {
  const groups = new Set(NAMES.map((name) => OPTIONS[name].group));
  expect([...groups]).toEqual(OPTION_GROUPS);
  const sorted = OPTION_GROUPS.flatMap((group) =>
    NAMES.filter((name) => OPTIONS[name].group === group),
  );
  expect(NAMES).toEqual(sorted);
});

describe("no source knows an option that the table lacks", () => {
  test("one of them parses arguments", () => {
    const parsers = SOURCES.filter(({ text }) => /\bparseArgs\(/.test(text));
    expect(parsers.map(({ file }) => file)).toEqual(["command-line.ts"]);
  });

  test("each option that is read is in the table", () => {
    const read = /(?:(?:valueOf|valuesOf)\(\s*line,\s*|options\.(?:has|get)\()"([^"]+)"/g;
    const names = SOURCES.flatMap(({ text }) => [...text.matchAll(read)].map(([, name]) => name));
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name = "") => !isOptionName(name))).toEqual([]);
  });

  test("each option that a message names is in the table", () => {
    // What the doctor tries and advises are options of unshare and Docker.
    const ours = SOURCES.filter(({ file }) => !file.startsWith("doctor/"));
    const named = ours.flatMap(({ text }) => text.match(/(?<![\w-])--[a-z][a-z-]*/g) ?? []);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((option) => !isOptionName(option.slice(2)))).toEqual([]);
  });
});

test.each(NAMES)("--%s sets a config field or is read by name", (name) => {
  const option = OPTIONS[name];
  const hasField = option.argument !== undefined && option.field !== undefined;
  const readers = SOURCES.filter(
    ({ file, text }) => file !== "options.ts" && text.includes(`"${name}"`),
  );
  expect(hasField || readers.length > 0).toBe(true);
});
