import { readdirSync } from "node:fs";
import { type ConfigInput, createSandbox, type SandboxResult } from "@sandboxlib/core";
import { probeCgroups } from "@sandboxlib/core/internal";
import { describe, expect, it } from "vitest";
import bubblewrap from "../src/index.js";
import { reason, skip } from "./available.js";

// The same file runs in a guest with cgroup v2: see scripts/test-guest.mjs. A directory may be delegated there.
const given = process.env["SANDBOXLIB_TEST_CGROUP"];
const lack = probeCgroups(given).missing.find(({ capability }) => capability !== "limit.ioWeight");
const why = reason ?? lack?.reason;
const note = why === undefined ? "" : ` (skipped: ${why})`;
const MEBIBYTE = 1024 * 1024;
/** In a guest without hardware of its own, Node takes ten seconds to start. */
const SLOW = 240_000;

async function run(script: string, config: ConfigInput): Promise<SandboxResult> {
  const options = { backend: bubblewrap, cgroup: given, prefer: [] };
  const sandbox = await createSandbox({ cwd: "/", ...config }, options);
  return sandbox.run(["sh", "-c", script]);
}

/** The cgroups that this process has made. */
function groups(directory = "/sys/fs/cgroup"): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory()) return [];
    const path = `${directory}/${entry.name}`;
    const isOurs = entry.name.startsWith("sandboxlib-") && path.includes(`-${process.pid}-`);
    return [...(isOurs ? [path] : []), ...groups(path)];
  });
}

describe.skipIf(skip || lack !== undefined)(`bwrap in a cgroup${note}`, () => {
  it("enters it before it does anything", { timeout: SLOW }, async () => {
    const script = "cat /proc/self/cgroup; exit 7";
    const { exitCode, stdout } = await run(script, { isolate: ["pid"], limits: { processes: 50 } });
    expect(exitCode).toBe(7);
    expect(Buffer.from(stdout ?? []).toString()).toContain(`-${process.pid}-`);
    expect(groups()).toEqual([]);
  });

  it("gets no more memory than there is", { timeout: SLOW }, async () => {
    const bomb = `x=${"0".repeat(1024)}; for i in ${"x ".repeat(16)}; do x=$x$x; done`;
    const limits = { memory: 64 * MEBIBYTE, wallTime: 60 };
    const { outcome, exceeded } = await run(bomb, { limits });
    expect([outcome, exceeded]).toEqual([
      "limit-exceeded",
      { limit: "memory", bytes: limits.memory },
    ]);
    expect(groups()).toEqual([]);
  });

  it("gets no more processes than there are", { timeout: SLOW }, async () => {
    const many = "i=0; while [ $i -lt 30 ]; do sleep 1 & i=$((i+1)); done; wait; exit 7";
    const { outcome, usage } = await run(many, { limits: { processes: 16, wallTime: 60 } });
    expect(outcome).toBe("exited");
    expect(usage.refusedForks).toBeGreaterThan(0);
    expect(groups()).toEqual([]);
  });
});
