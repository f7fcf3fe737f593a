import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { createSandbox, type Sandbox } from "@sandboxlib/core";
import type { Backend, ToolPlan } from "@sandboxlib/core/backend";
import { newMarker, parentOf, pidsWith } from "@sandboxlib/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import bubblewrap from "../src/index.js";
import { note, skip } from "./available.js";

describe.skipIf(skip)(`bwrap that a fork server starts${note}`, () => {
  it("is no child of this process, sees its own fds alone, and ends as it ended", async () => {
    const { sandbox, marker, server } = await started();
    const result = sandbox.run(["sh", "-c", `: ${marker}; sleep 1; ls /proc/self/fd; exit 7`]);
    const tool = await toolOf(marker);
    expect(parentOf(tool)).toBe(server());
    expect(parentOf(server())).toBe(process.pid);
    const { exitCode, stdout } = await result;
    expect([exitCode, Buffer.from(stdout ?? []).toString()]).toEqual([7, "0\n1\n2\n3\n"]);
  });

  it("dies with the server, and with it everything inside", async () => {
    const { sandbox, marker, server } = await started();
    const result = sandbox.run(["sh", "-c", `: ${marker}; sleep 600`]);
    await toolOf(marker);
    process.kill(server(), "SIGKILL");
    await expect(result).rejects.toMatchObject({
      code: "LAUNCH_FAILED",
      message: expect.stringMatching(/cannot be started: the process that starts it has ended$/),
    });
    await expect.poll(() => pidsWith(marker)).toEqual([]);
    expect((await sandbox.run(["true"])).exitCode).toBe(0);
  });

  it("does not start a program whose run was aborted meanwhile", async () => {
    const { sandbox, marker } = await started();
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const controller = new AbortController();
        const run = sandbox.run(["sh", "-c", `: ${marker}; sleep 600`], {
          signal: controller.signal,
        });
        for (let turn = 0; turn < index; turn += 1) await Promise.resolve();
        controller.abort();
        return (await run).outcome;
      }),
    );
    expect(new Set(outcomes)).toEqual(new Set(["aborted"]));
    expect(pidsWith(marker)).toEqual([]);
  });

  it("is named where it cannot be executed", async () => {
    const plan: Backend["plan"] = (config, host) => {
      const { clone: _, ...given } = bubblewrap.plan(config, host) as ToolPlan;
      return { ...given, argv: ["/no/such/tool", ...given.argv.slice(1)] };
    };
    const sandbox = await createSandbox({ cwd: "/" }, { backend: { ...bubblewrap, plan } });
    await expect(sandbox.run(["true"])).rejects.toMatchObject({
      code: "LAUNCH_FAILED",
      message: "/no/such/tool cannot be started: execve: ENOENT",
    });
  });

  it("has standard error in standard output's pipe where that is asked for", async () => {
    const { sandbox } = await started();
    const { stdout, stderr } = await sandbox.run(["sh", "-c", "echo a; echo b >&2; echo c"], {
      stderr: "stdout",
    });
    expect([Buffer.from(stdout ?? []).toString(), stderr]).toEqual(["a\nb\nc\n", undefined]);
  });

  it.each([
    [
      "has no fd left",
      `
      const fds = [];
      try { for (;;) fds.push(openSync("/dev/null")); } catch {}
      const outcomes = [];
      for (let free = 0; free < 16; free += 1) {
        outcomes.push(await outcome());
        closeSync(fds.pop());
      }
      for (const fd of fds) closeSync(fd);
      const odd = outcomes.filter((each) => each !== "exited" && each !== "LAUNCH_FAILED");
      console.log(odd.join(), outcomes.includes("LAUNCH_FAILED"), await outcome());`,
      " true exited",
    ],
    [
      "gives up its ids meanwhile",
      `
      const late = outcome();
      if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }
      console.log(["exited", "LAUNCH_FAILED"].includes(await late));`,
      "true",
    ],
  ])("settles every run of a caller that %s", (_, script, expected) => {
    const whole = `
      import { closeSync, openSync } from "node:fs";
      import { createSandbox } from ${JSON.stringify(import.meta.resolve("@sandboxlib/core"))};
      import bubblewrap from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
      const sandbox = await createSandbox({ cwd: "/" }, { backend: bubblewrap });
      const outcome = () => sandbox.run(["true"]).then((run) => run.outcome, (error) => error.code);
      await outcome();
      ${script}`;
    const command = ["-c", 'ulimit -n 80; exec "$@"', "sh", process.execPath];
    const { stdout, stderr } = spawnSync("sh", [...command, "--input-type=module", "-e", whole], {
      encoding: "utf8",
      timeout: 25_000,
    });
    expect(stdout + stderr).toBe(`${expected}\n`);
  });

  it("leaves no process behind when the server is killed at any moment", async () => {
    const { sandbox, marker, server } = await started();
    const before = orphans();
    for (let round = 0; round < 12; round += 1) {
      await sandbox.run(["true"]);
      const runs = [1, 2, 3].map(() => sandbox.run(["sh", "-c", `: ${marker}; sleep 600`]));
      const settled = Promise.allSettled(runs);
      await setTimeout(round);
      process.kill(server(), "SIGKILL");
      expect((await settled).map(({ status }) => status)).toEqual(runs.map(() => "rejected"));
    }
    await expect.poll(() => pidsWith(marker)).toEqual([]);
    await expect.poll(() => orphans().filter((pid) => !before.includes(pid))).toEqual([]);
  });

  it("leaves no fd behind in this process and in the server", async () => {
    const { sandbox, server } = await started();
    const count = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
    await sandbox.run(["true"]);
    const before = [count(process.pid), count(server())];
    for (let run = 0; run < 20; run += 1) await sandbox.run(["true"]);
    await expect.poll(() => [count(process.pid), count(server())]).toEqual(before);
  });
});

/** A sandbox for which a fork server is there, and the pid of that. */
async function started(): Promise<{ sandbox: Sandbox; marker: string; server: () => number }> {
  const sandbox = await createSandbox({ cwd: "/" }, { backend: bubblewrap });
  await sandbox.run(["true"]);
  const marker = newMarker("forked");
  onTestFinished(() => {
    for (const pid of pidsWith(marker)) process.kill(pid, "SIGKILL");
  });
  const server = (): number => {
    const [pid] = pidsWith("sandboxlib-launcher").filter(
      (each) => parentOf(each) === process.pid && isServer(each),
    );
    if (pid === undefined) throw new Error("there is no fork server");
    return pid;
  };
  return { sandbox, marker, server };
}

/** The processes of bwrap that init has taken over. */
function orphans(): number[] {
  return pidsWith("--json-status-fd").filter((pid) => parentOf(pid) === 1);
}

function isServer(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0").includes("serve");
}

/** The process of bwrap outside: the first of those whose words hold the marker. */
async function toolOf(marker: string): Promise<number> {
  await expect.poll(() => pidsWith(marker).length).toBeGreaterThan(2);
  const all = pidsWith(marker);
  const [tool] = all.filter((pid) => !all.includes(parentOf(pid)));
  if (tool === undefined) throw new Error("bwrap is not there");
  return tool;
}
