import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { childrenOf, gone, initOf, startTimeOf } from "../../src/host/processes.js";
import type { Backend } from "../../src/index.backend.js";
import { run } from "../../src/index.js";

/** With a user namespace where it takes one. */
const words = [[], ["--user", "--map-root-user"]]
  .map((more) => ["unshare", ...more, "--pid", "--fork", "--"])
  .find(([tool = "", ...rest]) => spawnSync(tool, [...rest, "true"]).status === 0);
const why = words === undefined ? " (skipped: no pid namespaces here)" : "";
const [unshare = "", ...options] = words ?? [];

const open: ChildProcess[] = [];
afterEach(() => {
  for (const child of open.splice(0)) child.kill("SIGKILL");
});

function start(program: string, args: readonly string[]): ChildProcess {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
  open.push(child);
  return child;
}

it("a child is found, whichever thread has forked it", async () => {
  const inThread = "require('node:child_process').spawn('sleep', ['600'], { stdio: 'ignore' })";
  const script = `new (require("node:worker_threads").Worker)(${JSON.stringify(inThread)}, { eval: true })`;
  const parent = start(process.execPath, ["-e", script]);
  await expect.poll(() => childrenOf(parent.pid ?? 0)).toHaveLength(1);
  for (const pid of childrenOf(parent.pid ?? 0) ?? []) process.kill(pid, "SIGKILL");
});

describe.skipIf(words === undefined)(`the end of a pid 1${why}`, () => {
  it("is waited for and brought about, though it has no child and nobody has killed its tool", async () => {
    const tool = start(unshare, [...options, "sleep", "600"]);
    await expect.poll(() => childrenOf(tool.pid ?? 0)).toHaveLength(1);
    const [pid = 0] = childrenOf(tool.pid ?? 0) ?? [];
    expect(await gone(initOf(pid))).toBe(true);
    expect(startTimeOf(pid)).toBeUndefined();
  });

  it("is the end of a run, whatever the tool says", async () => {
    const script = `"$@" &
      until pid=$(cat /proc/$!/task/$!/children) && [ -n "$pid" ]; do :; done
      echo $pid >&3; echo $pid`;
    const backend: Backend = {
      apiVersion: 1,
      name: "hasty",
      capabilities: new Set(["cwd"]),
      probe: () => Promise.resolve({ available: true }),
      plan: () => ({
        kind: "tool",
        argv: ["/bin/sh", "-c", script, "sh", unshare, ...options],
        env: { PATH: "/usr/bin:/bin" },
        fds: { 3: "report" },
        mechanisms: { cwd: "none" },
        signals: "child of init",
        readReport: (report) => (report.endsWith("\n") ? { initPid: Number(report) } : {}),
        interpret: () => ({ kind: "exited", exitCode: 0 }),
      }),
    };
    const config = { cwd: "/", mounts: [], network: "host", isolate: [], writable: "all" } as const;
    const result = await run({ ...config, command: ["sleep", "600"] }, { backend, prefer: "all" });
    const pid = Number(Buffer.from(result.stdout ?? []).toString());
    expect(pid).toBeGreaterThan(1);
    expect(startTimeOf(pid)).toBeUndefined();
  });
});

it("a process that is no pid 1 of a namespace is never taken for one", async () => {
  const other = start("sleep", ["600"]);
  await once(other, "spawn");
  expect(await gone(initOf(other.pid ?? 0))).toBe(true);
  expect(startTimeOf(other.pid ?? 0)).toBeDefined();
});

const HALF = `
#include <pthread.h>
#include <unistd.h>
static void *stay(void *none) { pause(); return none; }
int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, stay, NULL);
    write(1, "ready", 5);
    pthread_exit(NULL);
}`;

describe("a process whose first thread alone has ended", () => {
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-gone-"));
  writeFileSync(join(directory, "half.c"), HALF);
  const program = join(directory, "half");
  const { status } = spawnSync(process.env["CC"] || "cc", [
    "-pthread",
    "-o",
    program,
    join(directory, "half.c"),
  ]);
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it.skipIf(status !== 0)(
    `is there, though it looks like a zombie${status === 0 ? "" : " (skipped: no C compiler)"}`,
    async () => {
      const half = start(program, []);
      await once(half.stdout ?? half, "data");
      const { pid = 0 } = half;
      const state = () => spawnSync("ps", ["-o", "stat=", "-p", String(pid)]).stdout.toString()[0];
      await expect.poll(state).toBe("Z");
      expect(startTimeOf(pid)).toBeDefined();
    },
  );
});
