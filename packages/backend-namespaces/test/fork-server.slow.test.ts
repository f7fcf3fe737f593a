import { spawnSync } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { createSandbox, isSandboxError, type Sandbox } from "@sandboxlib/core";
import { newMarker, parentOf, pidsWith } from "@sandboxlib/test-support";
import { describe, expect, it } from "vitest";
import namespaces from "../src/index.js";
import { note, skip } from "./available.js";

const SCRIPT = "setsid sleep 998 & sleep 999; :";
const SLEEPS = ["sh", "-c", SCRIPT];

describe.skipIf(skip)(`a run that a fork server started${note}`, () => {
  it("has the umask and the limits of this process, and nothing of another run", async () => {
    const sandbox = await make();
    const other = sandbox.run(["sleep", "0.5"]);
    const before = process.umask(0o27);
    const { stdout } = await sandbox.run(["sh", "-c", "umask; echo /proc/self/fd/*"]);
    process.umask(before);
    expect(text(stdout)).toMatch(/^0?027\n(\/proc\/self\/fd\/\d ?){3,4}\n$/);
    await other;
  });

  it("has pipes for its streams, which it can open again", async () => {
    const script = "cat /dev/stdin; echo out > /dev/stdout; echo err > /dev/stderr";
    const { stdout, stderr } = await (await make()).run(["sh", "-c", script], {
      stdin: { data: "in\n" },
    });
    expect(text(stdout)).toBe("in\nout\n");
    expect(text(stderr)).toBe("err\n");
  });

  it("keeps its own streams, also where this process is busy until it has ended", async () => {
    const sandbox = await make();
    await sandbox.run(["true"]);
    const runs = Array.from({ length: 20 }, (_, index) => sandbox.run(["echo", `${index}`]));
    const start = performance.now();
    while (performance.now() - start < 500);
    const outputs = (await Promise.all(runs)).map(({ stdout }) => text(stdout));
    expect(outputs).toEqual(runs.map((_, index) => `${index}\n`));
  });

  it("may have a command and a config that no pipe takes at once", async () => {
    const env = Object.fromEntries(
      Array.from({ length: 15 }, (_, index) => [`V${index}`, "x".repeat(120_000)]),
    );
    const sandbox = await make(env);
    const runs = Array.from({ length: 4 }, () => sandbox.run(["sh", "-c", "echo ${#V14}"]));
    for (const { stdout } of await Promise.all(runs)) expect(text(stdout)).toBe("120000\n");
  });

  it("fails when its launcher is killed, and leaves nothing", async () => {
    const [failed, program] = await running("forked");
    process.kill(parentOf(parentOf(program)), "SIGKILL");
    expect(await failed()).toMatch(/launcher was killed by SIGKILL/);
  });

  it("fails when pid 1 is killed, and leaves nothing", async () => {
    const [failed, program] = await running("forked-init");
    process.kill(parentOf(program), "SIGKILL");
    expect(await failed()).toMatch(/pid 1 of the sandbox was killed by SIGKILL/);
  });

  it("fails when the server is killed, and leaves nothing; the next run has a new one", async () => {
    const [failed, program] = await running("server");
    process.kill(parentOf(parentOf(parentOf(program))), "SIGKILL");
    expect(await failed()).toMatch(/launcher was killed by SIGKILL/);
    expect((await (await make()).run(["true"])).exitCode).toBe(0);
  });

  it("ends in bounded time when the server is stopped", async () => {
    const marker = newMarker("stopped");
    const sandbox = await make({}, 5);
    const run = sandbox.run([...SLEEPS, marker]);
    await expect.poll(() => pidsWith(marker)).toHaveLength(1);
    const [program = 0] = pidsWith(marker);
    process.kill(parentOf(parentOf(parentOf(program))), "SIGSTOP");
    expect((await run).outcome).toBe("timed-out");
    expect(pidsWith(marker)).toEqual([]);
    expect((await sandbox.run(["true"])).exitCode).toBe(0);
  }, 60_000);

  it("ends in bounded time when its launcher is stopped, and others go on", async () => {
    const marker = newMarker("stopped-launcher");
    const sandbox = await make({}, 5);
    const other = (await make()).run(["sh", "-c", "sleep 15; exit 7"]);
    const run = sandbox.run([...SLEEPS, marker]);
    await expect.poll(() => pidsWith(marker)).toHaveLength(1);
    const [program = 0] = pidsWith(marker);
    process.kill(parentOf(parentOf(program)), "SIGSTOP");
    expect((await run).outcome).toBe("timed-out");
    expect(pidsWith(marker)).toEqual([]);
    expect((await other).exitCode).toBe(7);
  }, 60_000);

  it("fails for want of fds alone, whichever they are, and the next one works", () => {
    const script = `
      import { spawnSync } from "node:child_process";
      spawnSync("prlimit", ["--pid", process.pid, "--nofile=64"]);
      const discard = { stdout: "discard", stderr: "discard" };
      const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
      const runs = Array.from({ length: 100 }, () =>
        sandbox.run(["sleep", "2"], discard).then(({ outcome }) => outcome, ({ code }) => code));
      console.log([...new Set(await Promise.all(runs))].sort().join());
      console.log((await sandbox.run(["true"])).exitCode);`;
    expect(inNode(script)).toBe("LAUNCH_FAILED,exited\n0\n");
  });

  it.skipIf(process.getuid?.() !== 0)(
    `is not started by one with ids that this process has given up${process.getuid?.() === 0 ? "" : " (skipped: not root)"}`,
    () => {
      const script = `
      import { readFileSync } from "node:fs";
      const children = () => readFileSync("/proc/self/task/" + process.pid + "/children", "utf8").trim().split(" ");
      const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
      await sandbox.run(["true"]);
      const [old] = children();
      process.setegid(61234);
      await sandbox.run(["true"]);
      while (children().includes(old)) await new Promise((resolve) => setTimeout(resolve, 10));
      console.log(children().length);`;
      expect(inNode(script)).toBe("1\n");
    },
  );

  it("tells what it took also when it is ended", async () => {
    const [sandbox, ended] = [await make(), await make({}, 1)];
    const { usage, outcome } = await ended.run(["sh", "-c", "while :; do :; done"]);
    expect(outcome).toBe("timed-out");
    expect(Object.keys(usage)).toEqual(Object.keys((await sandbox.run(["true"])).usage));
    expect(usage.userTime).toBeGreaterThan(0);
  });

  it("leaves no process of a hundred that were aborted at any moment", async () => {
    const marker = newMarker("aborted");
    const sandbox = await make();
    const runs = Array.from({ length: 100 }, async (_, index) => {
      const controller = new AbortController();
      const run = sandbox.run([...SLEEPS, marker], { signal: controller.signal });
      await setTimeout(index % 20);
      controller.abort();
      return (await run).outcome;
    });
    expect(new Set(await Promise.all(runs))).toEqual(new Set(["aborted"]));
    expect(pidsWith(marker)).toEqual([]);
  });
});

async function make(env: Record<string, string> = {}, wallTime?: number): Promise<Sandbox> {
  const PATH = "/usr/local/bin:/usr/bin:/bin";
  const config = { cwd: "/", env: { PATH, ...env }, limits: { wallTime } };
  return createSandbox(config, { backend: namespaces });
}

/** A program that has been started, and what waits for the error of its run. */
async function running(name: string): Promise<[failed: () => Promise<string>, program: number]> {
  const marker = newMarker(name);
  const sandbox = await make();
  // What it reads comes when this process has its pipes from the server; until then it has another name.
  const reads = ["sh", "-c", 'read -r go; exec sh -c "$1" "$0-up"', marker, SCRIPT];
  const run = sandbox.run(reads, { stdin: { data: "go\n" } }).catch((error: unknown) => error);
  await expect.poll(() => pidsWith(`${marker}-up`)).toHaveLength(1);
  const [program = 0] = pidsWith(`${marker}-up`);
  const failed = async (): Promise<string> => {
    const error = await run;
    expect(isSandboxError(error) && error.code).toBe("LAUNCH_FAILED");
    expect(pidsWith(marker)).toEqual([]);
    return String(error);
  };
  return [failed, program];
}

/** What a program prints that is run by a Node of its own. */
function inNode(script: string): string {
  const imports = `
    import { createSandbox } from ${JSON.stringify(import.meta.resolve("@sandboxlib/core"))};
    import namespaces from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};`;
  const argv = ["--input-type=module", "-e", imports + script];
  return spawnSync(process.execPath, argv, { encoding: "utf8", timeout: 20_000 }).stdout;
}

function text(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString();
}
