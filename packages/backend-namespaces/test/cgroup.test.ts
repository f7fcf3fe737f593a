import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout } from "node:timers/promises";
import { type ConfigInput, createSandbox, gc, type SandboxResult } from "@sandboxlib/core";
import { probeCgroups } from "@sandboxlib/core/internal";
import { newMarker, pidsWith, spoken } from "@sandboxlib/test-support";
import { describe, expect, it } from "vitest";
import namespaces from "../src/index.js";
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
  const sandbox = await createSandbox(
    { cwd: "/", ...config },
    { backend: namespaces, cgroup: given, prefer: [] },
  );
  return sandbox.run(["sh", "-c", script, newMarker("cgroup")]);
}

/** The cgroups of runs on this host, of whichever process. */
function cgroupsIn(directory = "/sys/fs/cgroup"): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory()) return [];
    const path = `${directory}/${entry.name}`;
    return [...(/^sandboxlib-\d/.test(entry.name) ? [path] : []), ...cgroupsIn(path)];
  });
}

const ofProcess = (pid = process.pid): string[] =>
  cgroupsIn().filter((path) => path.includes(`-${pid}-`));

describe.skipIf(skip || lack !== undefined)(`what a sandbox may use as a whole${note}`, () => {
  it("ends a memory bomb as limit-exceeded, its swap counted", { timeout: SLOW }, async () => {
    const limits = { memory: 64 * MEBIBYTE, wallTime: 60 };
    const { outcome, exceeded, usage } = await run("x=0123456789; while :; do x=$x$x; done", {
      limits,
    });
    expect([outcome, exceeded]).toEqual([
      "limit-exceeded",
      { limit: "memory", bytes: limits.memory },
    ]);
    expect(usage.oomKills).toBeGreaterThan(0);
    expect(usage.peakMemory).toBeLessThanOrEqual(limits.memory);
  });

  it("counts memory that was swapped out", { timeout: SLOW }, async () => {
    // A finite bomb: where there is swap, what fits in both would end well if swap did not count.
    const bomb = `x=${"0".repeat(1024)}; for i in ${"x ".repeat(16)}; do x=$x$x; done`;
    const [tooMuch, enough] = [64 * MEBIBYTE, 512 * MEBIBYTE];
    const { outcome, exceeded } = await run(bomb, { limits: { memory: tooMuch } });
    expect([outcome, exceeded]).toEqual(["limit-exceeded", { limit: "memory", bytes: tooMuch }]);
    const { exitCode, usage } = await run(bomb, { limits: { memory: enough } });
    expect(exitCode).toBe(0);
    expect(usage.peakMemory).toBeGreaterThan(100 * MEBIBYTE);
  });

  it("ends a disk bomb on a tmpfs", { timeout: SLOW }, async () => {
    const bomb = "i=0; while :; do head -c 1048576 /dev/zero > /tmp/$i || exit 1; i=$((i+1)); done";
    const limits = { memory: 48 * MEBIBYTE, wallTime: 60 };
    const result = await run(bomb, { limits });
    expect(["limit-exceeded", "exited"]).toContain(result.outcome);
    expect(result.usage.oomKills).toBeGreaterThan(0);
    const sized = await run(bomb, {
      limits,
      mounts: [
        { type: "dev", target: "/dev" },
        { type: "tmpfs", target: "/tmp", size: 8 * MEBIBYTE },
      ],
    });
    expect(sized).toMatchObject({ outcome: "exited", exitCode: 1 });
  });

  it("ends a million inodes in a tmpfs", { timeout: SLOW }, async () => {
    const many = "i=0; while [ $i -lt 1000000 ]; do : > /tmp/$i; i=$((i+1)); done";
    const limits = { memory: 24 * MEBIBYTE, wallTime: 60 };
    const { outcome, exceeded } = await run(many, { limits });
    expect([outcome, exceeded?.limit]).toEqual(["limit-exceeded", "memory"]);
  });

  it("keeps a fork bomb small, and the host responsive", { timeout: SLOW }, async () => {
    const limits = { processes: 64, memory: 128 * MEBIBYTE, wallTime: 5 };
    const bombed = run("b() { b | b & b; }; b 2> /dev/null", { limits });
    await setTimeout(1000);
    const times = [await timeOfTrue(), await timeOfTrue(), await timeOfTrue()];
    expect(times.toSorted((a, b) => a - b)[1]).toBeLessThan(2_000);
    const { usage } = await bombed;
    expect(usage.refusedForks).toBeGreaterThan(0);
    expect(usage.wallTime).toBeLessThan(30);
    expect(ofProcess()).toEqual([]);
  });

  it("is not waited for where a grandchild has stopped and holds the output", async () => {
    const script = "sh -c 'kill -STOP $$' grandchild & sleep 0.2; echo done";
    const { outcome, stdout, usage } = await run(script, { limits: { processes: 20 } });
    expect([outcome, Buffer.from(stdout ?? []).toString()]).toEqual(["exited", "done\n"]);
    expect(usage.wallTime).toBeLessThan(20);
    expect(ofProcess()).toEqual([]);
  });

  it("is counted for the whole of it", { timeout: SLOW }, async () => {
    const busy = "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done";
    // The last one is waited for by nobody.
    const { usage } = await run(`(${busy}) & (${busy}) & wait; (${busy}) & exit 0`, {
      limits: { processes: 20 },
    });
    expect(usage.userTime).toBeGreaterThan(0);
    expect(usage.peakMemory).toBeGreaterThan(100_000);
    expect(usage.oomKills).toBe(0);
    expect(usage.refusedForks).toBe(0);
    if (usage.peakProcesses !== undefined) expect(usage.peakProcesses).toBeGreaterThanOrEqual(4);
  });

  it("is left alone where the config asks for nothing of it", async () => {
    if (given !== undefined) return;
    const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
    const child = sandbox.spawn(["sh", "-c", "echo ready; read line"]);
    await once(child.stdout ?? process.stdin, "data");
    expect(ofProcess()).toEqual([]);
    child.kill("SIGKILL");
    await child.result;
  });

  it("leaves nothing but for gc where Node is killed at any moment", {
    timeout: SLOW,
  }, async () => {
    const marker = newMarker("cgroup");
    const killed: number[] = [];
    for (const delay of [0, 10, 40, 160]) {
      const caller = spawn(process.execPath, ["--input-type=module", "-e", CALLER], {
        env: {
          MARKER: marker,
          CORE: resolved("@sandboxlib/core"),
          BACKEND: resolved("@sandboxlib/backend-namespaces"),
          ...(given && { GIVEN: given }),
        },
        stdio: ["ignore", "pipe", "inherit"],
      });
      await spoken(caller);
      await setTimeout(delay);
      caller.kill("SIGKILL");
      await once(caller, "exit");
      killed.push(caller.pid ?? 0);
    }
    await expect.poll(() => pidsWith(marker), { timeout: 10_000 }).toEqual([]);
    const { failed } = await gc();
    expect(failed).toEqual([]);
    expect(killed.flatMap((pid) => ofProcess(pid))).toEqual([]);
  });
});

/** How long the host takes to run a program, in milliseconds. */
async function timeOfTrue(): Promise<number> {
  const started = performance.now();
  await once(spawn("/bin/true"), "exit");
  return performance.now() - started;
}

function resolved(name: string): string {
  return createRequire(import.meta.url).resolve(name);
}

/** Starts sandboxes as fast as it can. */
const CALLER = `
const { createPool, createSandbox } = await import(process.env.CORE);
const { default: backend } = await import(process.env.BACKEND);
const options = { backend, cgroup: process.env.GIVEN };
const config = { cwd: "/", limits: { memory: ${64 * MEBIBYTE}, processes: 30 } };
const sandbox = await createSandbox(config, options);
const pool = await createPool(config, { ...options, size: 2 });
console.log("ready");
for (;;) {
  const argv = ["sh", "-c", "sleep 30 & sleep 0.02", process.env.MARKER];
  await Promise.all([sandbox.run(argv), pool.run(argv), sandbox.spawn(argv).result]);
}
`;
