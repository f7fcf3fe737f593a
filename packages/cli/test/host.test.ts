import { configJsonSchema } from "@sandboxlib/core";
import { describe, expect, test } from "vitest";
import { sandboxlib } from "./support/cli.js";
import { WITH_FIXTURES } from "./support/fixtures.js";
import { gcAlone } from "./support/gc-alone.js";
import { scratch } from "./support/scratch.js";
import { testUnless } from "./support/test-unless.js";

const ENV = { env: WITH_FIXTURES };
const ROOT = process.getuid?.() === 0;

describe("backends", () => {
  test("lists each installed backend with its state", async () => {
    const { stdout, exitCode } = await sandboxlib(["backends"], ENV);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^BACKEND +STATE +PACKAGE +TOOL\n/);
    expect(stdout).toMatch(
      /^plain +available +@acme\/sandboxlib-plain 3\.2\.1 +env\\x1b\[31m 1\.0$/m,
    );
    expect(stdout).toMatch(
      /^ {2}lacks limit\.wallTime: clocks are out\n {2}remedy: Wind them up\.$/m,
    );
    expect(stdout).toMatch(/^ {2}in part cwd: below \\x1b\[31m\/$/m);
    expect(stdout).toMatch(/^bubblewrap +(un)?available/m);
  });

  test("says why a backend cannot be used, and what to do", async () => {
    const { stdout } = await sandboxlib(["backends"], ENV);
    expect(stdout).toMatch(/^broken +unavailable .*\n {2}reason: .*no such luck.*\n {2}remedy: /m);
  });

  test("gives the same as JSON", async () => {
    const { stdout } = await sandboxlib(["backends", "--json"], ENV);
    expect(JSON.parse(stdout)).toContainEqual({
      name: "plain",
      packageName: "@acme/sandboxlib-plain",
      version: "3.2.1",
      directory: expect.stringMatching(/sandboxlib-plain$/),
      platforms: ["linux"],
      tool: "env\u001b[31m 1.0",
      available: true,
      missing: expect.arrayContaining([
        { capability: "limit.wallTime", reason: "clocks are out", remedy: "Wind them up." },
      ]),
      capabilities: [
        "cwd",
        ...["wallTime", "memory", "processes", "cpu", "ioWeight"].map((name) => `limit.${name}`),
      ],
      partly: { cwd: "below \u001b[31m/" },
    });
  });

  test("a relative SANDBOXLIB_BACKEND_PATH is refused", async () => {
    const ran = await sandboxlib(["backends"], { env: { SANDBOXLIB_BACKEND_PATH: "here" } });
    expect(ran).toMatchObject({ exitCode: 125, stdout: "" });
    expect(ran.stderr).toContain('SANDBOXLIB_BACKEND_PATH: "here" is relative');
  });
});

describe("doctor", () => {
  test("succeeds when a backend can be used", async () => {
    const { stdout, exitCode } = await sandboxlib(["doctor"], ENV);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ok {4}plain .*: enforces \d+ of \d+ capabilities$/m);
    expect(stdout).toMatch(/^ok {4}plain (?:.*\n {6})*in part: cwd \(below \\x1b\[31m\/\)$/m);
    expect(stdout).toMatch(/^no {4}broken: .*no such luck.*\n {6}fix: /m);
  });

  test("gives the same as JSON", async () => {
    const { stdout } = await sandboxlib(["doctor", "--json"], ENV);
    expect(JSON.parse(stdout)).toMatchObject({
      host: { platform: process.platform, uid: process.getuid?.() },
      findings: expect.any(Array),
      pages: expect.any(Array),
      backends: expect.arrayContaining([
        expect.objectContaining({
          name: "plain",
          available: true,
          enforces: expect.arrayContaining(["cwd"]),
        }),
      ]),
    });
  });
});

test("schema prints core's JSON Schema", async () => {
  const { stdout } = await sandboxlib(["schema"]);
  expect(JSON.parse(stdout)).toEqual(configJsonSchema());
});

testUnless(
  ROOT ? undefined : "only root makes what can be left behind",
  "gc has nothing to do where nothing was left behind",
  () => {
    expect(gcAlone({ XDG_CACHE_HOME: scratch() })).toEqual([0, "Nothing was left behind.\n"]);
  },
);

test.each([
  ["explian", "explain"],
  ["rnu", "run"],
])("an unknown command is wrong usage: %s, with the one that was meant", async (word, meant) => {
  const { exitCode, stderr } = await sandboxlib([word]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(`"${word}": unknown command. Did you mean ${meant}?`);
});

test.each([
  [{}, false],
  [{ FORCE_COLOR: "1" }, true],
  [{ FORCE_COLOR: "1", NO_COLOR: "1" }, true],
  [{ FORCE_COLOR: "0" }, false],
])("%j: what does not go to a terminal is coloured: %j", async (colors, isColored) => {
  const ran = await sandboxlib(["backends"], { env: { ...WITH_FIXTURES, ...colors } });
  expect(ran.stdout.includes("\u001b[")).toBe(isColored);
  expect(ran.stderr).toBe("");
});
