import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runSandbox, sandboxlib } from "./support/cli.js";
import { WITH_FIXTURES } from "./support/fixtures.js";
import { scratch } from "./support/scratch.js";

const PLAIN = ["--backend", "plain"];
const ENV = { env: WITH_FIXTURES };

describe("a backend that cannot enforce what is asked", () => {
  test("is refused before anything starts, with the ways out", async () => {
    const ran = await runSandbox([...PLAIN, "--", "echo", "ran"], ENV);
    expect(ran).toMatchObject({ exitCode: 125, stdout: "" });
    expect(ran.stderr).toMatch(
      /^sandboxlib: writable: needs writable\.paths, and the backend plain does not enforce it\. Not met either: .*; isolate needs isolate\.mount, .*; network needs network\.none; .*\nhint: .*let them go with --prefer writable\.paths .*--prefer network\.none/,
    );
  });

  test("runs with --degrade, and says line by line what is not enforced", async () => {
    const { stdout, stderr } = await runSandbox([...PLAIN, "--degrade", "--", "echo", "ran"], ENV);
    expect(stdout).toBe("ran\n");
    expect(stderr).toContain(
      "sandboxlib: not enforced: network.none (network): the backend plain does not enforce it\n",
    );
    expect(
      stderr
        .trim()
        .split("\n")
        .every((line) => line.startsWith("sandboxlib: not enforced: ")),
    ).toBe(true);
  });

  test("says nothing of it with --quiet, but the result file does", async () => {
    const file = join(scratch(), "r.json");
    const args = ["--degrade", "--quiet", "--result-file", file, "--", "true"];
    expect(await runSandbox([...PLAIN, ...args], ENV)).toMatchObject({ exitCode: 0, stderr: "" });
    const { enforcement } = JSON.parse(readFileSync(file, "utf8")) as {
      enforcement: { dropped: { capability: string }[]; enforced: { capability: string }[] };
    };
    expect(enforcement.dropped.map(({ capability }) => capability)).toContain("tree.kill");
    expect(enforcement.enforced.map(({ capability }) => capability)).toEqual(["cwd"]);
  });

  test("--prefer lets go what it names and nothing else", async () => {
    const args = ["--prefer", "writable.paths", "--prefer", "mount.proc", "--prefer", "mount.dev"];
    const { exitCode, stderr } = await runSandbox([...PLAIN, ...args, "--", "true"], ENV);
    expect(exitCode).toBe(125);
    expect(stderr).toContain("mounts[2]: needs mount.tmpfs");
  });
});

describe("explain", () => {
  test("says of every need what became of it, and where it was written", async () => {
    const args = [...PLAIN, "--degrade", "--cwd", "/", "--json", "--", "true"];
    const { stdout, exitCode } = await sandboxlib(["explain", ...args], ENV);
    expect(exitCode).toBe(0);
    const { verdict, backend, needs } = JSON.parse(stdout) as {
      verdict: string;
      backend: string;
      needs: { capability: string }[];
    };
    expect({ verdict, backend }).toEqual({ verdict: "runs", backend: "plain" });
    expect(needs).toContainEqual({
      capability: "cwd",
      meaning: "The program starts in the given directory.",
      path: "cwd",
      origin: "--cwd /",
      status: "enforced",
      because: "env -C",
    });
    expect(needs).toContainEqual(expect.objectContaining({ path: "network", status: "dropped" }));
  });

  test("explains a refusal, and fails like the run would", async () => {
    const args = [...PLAIN, "--timeout", "5", "--prefer", "network.none", "--", "true"];
    const { stdout, stderr, exitCode } = await sandboxlib(["explain", ...args], ENV);
    expect(exitCode).toBe(125);
    expect(stdout).toMatch(/^Refused: writable: needs writable\.paths/);
    expect(stdout).toMatch(
      /dropped +network\.none +network \(default\) +this backend does not enforce it/,
    );
    expect(stdout).toMatch(
      /refused +limit\.wallTime +limits\.wallTime \(--timeout 5\) +clocks are out/,
    );
    expect(stderr).toMatch(/^sandboxlib: writable: /);
  });

  test("explains no config that is not valid", async () => {
    const ran = await sandboxlib(["explain", "--cwd", "x", "--", "true"]);
    expect(ran).toMatchObject({ exitCode: 2, stdout: "" });
  });
});
