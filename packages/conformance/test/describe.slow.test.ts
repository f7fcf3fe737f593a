import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

const vitest = join(
  dirname(createRequire(import.meta.url).resolve("vitest/package.json")),
  "vitest.mjs",
);

/** Runs a fixture as a third party would run its tests; returns the exit status and the report. */
function run(
  fixture: string,
  required = "",
  reporter = "verbose",
  ...more: readonly string[]
): { status: number | null; report: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      vitest,
      "run",
      "--config",
      "fixtures/vitest.config.js",
      `--reporter=${reporter}`,
      ...more,
      fixture,
    ],
    {
      cwd: import.meta.dirname,
      env: { PATH: process.env["PATH"], NO_COLOR: "1", SANDBOXLIB_REQUIRE: required },
      encoding: "utf8",
    },
  );
  return { status, report: stdout + stderr };
}

describe("describeBackend", () => {
  it("skips a backend that is not available, with the reason in the title", () => {
    const { status, report } = run("unavailable");
    expect(report).toContain("skipped: there is no moon. Wait for it.");
    expect(status).toBe(0);
  });

  it("fails for a backend that is not available and required", () => {
    const { status, report } = run("unavailable", "other, unavailable");
    expect(report).toContain("there is no moon. Wait for it.");
    expect(status).toBe(1);
  });

  it("does not fail because another backend is required", () => {
    expect(run("unavailable", "avail,unavailable2").status).toBe(0);
  });

  it("fails for a backend whose probe fails, required or not", () => {
    const { status, report } = run("broken");
    expect(report).toMatch(/the backend broken does not keep the contract: .*the probe fell over/);
    expect(status).toBe(1);
  });

  it("skips what asks for a part that is left out, and says which part there is", () => {
    const { status, report } = run(
      "whole-minutes",
      "",
      "default",
      "-t",
      "cpuTime|SIGXCPU|in a part",
    );
    expect(report).toMatch(/^  proved: .*limit\.cpuTime/m);
    expect(report).toContain("2 (limit.cpuTime holds in part: in whole minutes)");
    expect(status).toBe(0);
  });

  it("tells by word what came out, with any reporter, and what was skipped why", () => {
    const { report } = run("throwing-lie", "", "default");
    expect(report).toMatch(/^backend throwing-lie\n  not proved: cwd, exit\.signal\n/m);
    expect(report).toMatch(/^  skipped: .*\(no program runs: BACKEND_INVALID: .* path\)/m);
  });
});
