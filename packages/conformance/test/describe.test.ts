import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

const vitest = join(
  dirname(createRequire(import.meta.url).resolve("vitest/package.json")),
  "vitest.mjs",
);

/** Runs a fixture as a third party would run its tests; returns the exit status and the report. */
function run(fixture: string, required = ""): { status: number | null; report: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [vitest, "run", "--config", "fixtures/vitest.config.js", "--reporter=verbose", fixture],
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

  it("skips a backend whose probe fails, with the reason in the title", () => {
    expect(run("broken").report).toContain("skipped: its probe failed: the probe fell over");
  });
});
