import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { describeWith } from "./support/backend.js";
import { BIN } from "./support/cli.js";

const directory = mkdtempSync(join(tmpdir(), "sandboxlib-env-file-"));
afterAll(() => rmSync(directory, { recursive: true }));
const [hook, file, mark] = ["hook.cjs", "file", "mark"].map((name) => join(directory, name)) as [
  string,
  string,
  string,
];
writeFileSync(hook, `require("node:fs").writeFileSync(${JSON.stringify(mark)}, "");`);
writeFileSync(file, `NODE_OPTIONS=--require ${hook}\n`);

// Node reads a file of that name from all words up to `--`, also from those after the script.
await describeWith("namespaces", "a file of variables with NODE_OPTIONS", () => {
  test.each([
    ["our own option", "run-sandbox", ["--cwd", "/", "--env-file", file, "--", "true"]],
    ["a word of the program", "run-sandbox", ["--cwd", "/", "/", "true", "--env-file", file]],
    ["an option of another command", "sandboxlib", ["explain", "--env-file", file, "--", "true"]],
  ] as const)("as %s starts nothing outside", (_, name, words) => {
    const { status, stderr } = spawnSync(BIN[name], [...words], { cwd: "/", encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
    expect(existsSync(mark)).toBe(false);
  });

  test("as an option of a session starts nothing outside", () => {
    const sandboxlib = (...words: readonly string[]): string =>
      execFileSync(BIN.sandboxlib, words, { cwd: "/", encoding: "utf8" }).trim();
    const name = sandboxlib("session", "start", "--cwd", "/", "--env-file", file);
    sandboxlib("session", "stop", name);
    expect(existsSync(mark)).toBe(false);
  });
});
