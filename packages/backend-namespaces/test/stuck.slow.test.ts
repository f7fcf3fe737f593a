import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { createSandbox, isSandboxError, type Sandbox } from "@sandboxlib/core";
import { newMarker, parentOf, pidsWith } from "@sandboxlib/test-support";
import { describe, expect, it } from "vitest";
import namespaces from "../src/index.js";
import { note, skip } from "./available.js";

const PERL = "/usr/bin/perl";
const noPerl = existsSync(PERL) ? "" : ` (skipped: there is no ${PERL})`;
const FREEZER = "/sys/fs/cgroup/freezer";
const noFreezer =
  existsSync(`${FREEZER}/cgroup.procs`) && process.getuid?.() === 0
    ? ""
    : " (skipped: needs root and the freezer of cgroup v1)";
const [PTRACE, PRCTL] = process.arch === "arm64" ? [117, 167] : [101, 157];
const [SEIZE, SET_PTRACER, ANY] = ["0x4206", "0x59616d61", "-1"];

describe.skipIf(skip)(
  `what gets stuck${note}`,
  () => {
    it("a caller that is busy when it should hear of an end does not take it for missing", () => {
      const script = `
      import { setImmediate, setTimeout } from "node:timers/promises";
      import { createSandbox } from ${JSON.stringify(import.meta.resolve("@sandboxlib/core"))};
      import namespaces from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
      const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
      const controller = new AbortController();
      const aborted = sandbox.run(["sleep", "60"], { signal: controller.signal });
      const other = sandbox.run(["sh", "-c", "sleep 7; exit 3"]);
      await setTimeout(500);
      controller.abort();
      await setImmediate(); // Timers are next then, and what came to be read after them.
      const start = performance.now();
      while (performance.now() - start < 5500);
      console.log((await aborted).outcome, (await other).exitCode);`;
      const argv = ["--input-type=module", "-e", script];
      expect(spawnSync(process.execPath, argv, { encoding: "utf8" }).stdout).toBe("aborted 3\n");
    });

    it("a fork server that is stopped fails a run that is about to start, and the next one has another", async () => {
      const marker = newMarker("first");
      const sandbox = await make();
      const first = sandbox
        .run(["sh", "-c", "sleep 999; :", marker])
        .catch((error: unknown) => error);
      await expect.poll(() => pidsWith(marker), { timeout: 10_000 }).toHaveLength(1);
      process.kill(parentOf(parentOf(parentOf(pidsWith(marker)[0] ?? 0))), "SIGSTOP");
      await expect(sandbox.run(["true"])).rejects.toMatchObject({ code: "LAUNCH_FAILED" });
      expect(isSandboxError(await first)).toBe(true);
      expect(pidsWith(marker)).toEqual([]);
      expect((await sandbox.run(["true"])).exitCode).toBe(0);
    });

    it.skipIf(noPerl !== "")(
      `a command whose end nobody hears of, since it is traced, ends with its session${noPerl}`,
      async () => {
        const config = { cwd: "/", seccomp: "build" } as const; // the profile for tracers
        const session = await (await createSandbox(config, { backend: namespaces })).openSession();
        const trace = `setsid; syscall(${PTRACE}, ${SEIZE}, getppid() + 0, 0, 0); sleep 999`;
        const script = `syscall(${PRCTL}, ${SET_PTRACER}, ${ANY});
        if (!fork) { ${trace} } select undef, undef, undef, 0.5; exit 0`;
        const limits = { wallTime: 2 };
        const run = session.run([PERL, "-MPOSIX", "-e", script], { limits });
        expect((await run).outcome).toBe("timed-out");
        await expect(session.run(["true"])).rejects.toMatchObject({ code: "LAUNCH_FAILED" });
        await session.close();
      },
    );

    it.skipIf(noFreezer !== "")(
      `a pid 1 that the kernel does not let go is CLEANUP_FAILED${noFreezer}`,
      async () => {
        const marker = newMarker("frozen");
        const sandbox = await make();
        const child = sandbox.spawn(["sh", "-c", "sleep 999; :", marker]);
        await expect.poll(() => pidsWith(marker), { timeout: 10_000 }).toHaveLength(1);
        const init = parentOf(pidsWith(marker)[0] ?? 0);
        await frozen(init, async () => {
          child.kill("SIGKILL");
          await expect(child.result).rejects.toMatchObject({ code: "CLEANUP_FAILED" });
        });
        await expect.poll(() => pidsWith(marker), { timeout: 10_000 }).toEqual([]);
      },
    );
  },
  60_000,
);

function make(): Promise<Sandbox> {
  return createSandbox({ cwd: "/" }, { backend: namespaces });
}

async function frozen(pid: number, act: () => Promise<void>): Promise<void> {
  const group = `${FREEZER}/sandboxlib-test-${process.pid}`;
  const state = `${group}/freezer.state`;
  mkdirSync(group);
  try {
    writeFileSync(`${group}/cgroup.procs`, `${pid}`);
    writeFileSync(state, "FROZEN");
    await expect.poll(() => readFileSync(state, "latin1")).toBe("FROZEN\n");
    await act();
  } finally {
    writeFileSync(state, "THAWED");
    await expect.poll(() => readFileSync(`${group}/cgroup.procs`, "latin1")).toBe("");
    rmdirSync(group);
  }
}
