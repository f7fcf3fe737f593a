import { spawn, spawnSync } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { createPool, createSandbox, isSandboxError } from "@sandboxlib/core";
import { newMarker, parentOf, pidsWith, spoken } from "@sandboxlib/test-support";
import { describe, expect, it } from "vitest";
import namespaces from "../src/index.js";
import { note, skip } from "./available.js";

const core = JSON.stringify(import.meta.resolve("@sandboxlib/core"));
const backend = JSON.stringify(new URL("../dist/index.js", import.meta.url).href);

/** Makes sandboxes of every kind for ever, each with a process that tries to outlive it. */
const LIBRARY = `
import { createPool, createSandbox } from ${core};
import namespaces from ${backend};
const config = { cwd: "/" };
const sandbox = await createSandbox(config, { backend: namespaces });
const session = await sandbox.openSession();
const pool = await createPool(config, { backend: namespaces, size: 2 });
const argv = ["sh", "-c", "setsid sleep 999 & sleep 0.01", process.argv[1]];
process.stdout.write("ready");
for (;;) await Promise.all([sandbox, session, pool].map((each) => each.run(argv)));`;

describe.skipIf(skip)(`a library that is killed${note}`, () => {
  it("leaves no process, at whatever moment it is hit", async () => {
    const marker = newMarker("killed");
    for (let round = 0; round < 20; round += 1) {
      const library = spawn(process.execPath, ["--input-type=module", "-e", LIBRARY, marker]);
      await spoken(library);
      await setTimeout(round * 2);
      const closed = new Promise((resolve) => library.once("close", resolve));
      library.kill("SIGKILL");
      await closed;
    }
    await expect.poll(() => pidsWith(marker)).toEqual([]);
  }, 120_000);
});

describe.skipIf(skip)(`a run of which a part is killed${note}`, () => {
  const parts = [
    ["the launcher", (program: number) => parentOf(parentOf(program)), /launcher .*SIGKILL/],
    ["pid 1", (program: number) => parentOf(program), /pid 1 .*SIGKILL/],
  ] as const;

  it.each(parts)("%s: fails with a named error and leaves nothing", async (_, find, message) => {
    const marker = newMarker("part");
    const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
    const child = sandbox.spawn(["sh", "-c", "setsid sleep 998 & sleep 999; :", marker]);
    await expect.poll(() => pidsWith(marker)).toHaveLength(1);
    const [program = 0] = pidsWith(marker);
    process.kill(find(program), "SIGKILL");
    const error: unknown = await child.result.catch((reason: unknown) => reason);
    expect(isSandboxError(error) && error.code).toBe("LAUNCH_FAILED");
    expect(String(error)).toMatch(message);
    expect(pidsWith(marker)).toEqual([]);
  });

  it.each(parts)("%s of a session: every command fails, and later ones do", async (_, find) => {
    const marker = newMarker("session-part");
    const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
    const session = await sandbox.openSession();
    const running = [1, 2].map(() => session.run(["sh", "-c", "sleep 999; :", marker]));
    await expect.poll(() => pidsWith(marker)).toHaveLength(2);
    const [program = 0] = pidsWith(marker);
    process.kill(find(program), "SIGKILL");
    const results = await Promise.allSettled([...running, session.run(["true"])]);
    for (const result of results)
      expect(result).toMatchObject({ status: "rejected", reason: { code: "LAUNCH_FAILED" } });
    expect(pidsWith(marker)).toEqual([]);
    await session.close();
  });
});

describe.skipIf(skip)(`what runs out${note}`, () => {
  it("a full tmpfs is the program's own failure", async () => {
    const config = { cwd: "/", mounts: [{ type: "tmpfs", target: "/tmp", size: 65_536 }] } as const;
    const sandbox = await createSandbox(config, { backend: namespaces });
    const { exitCode, stderr } = await sandbox.run([
      "sh",
      "-c",
      "dd if=/usr/bin/env of=/tmp/a bs=1024 count=16; while cat /tmp/a >> /tmp/b; do :; done; exit 7",
    ]);
    expect(exitCode).toBe(7);
    expect(Buffer.from(stderr ?? []).toString()).toContain("No space left");
  });

  it("without fds every kind of run is a named error, and the next one works", () => {
    const script = `
      import { openSync, closeSync } from "node:fs";
      import { createPool, createSandbox } from ${core};
      import namespaces from ${backend};
      const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
      const session = await sandbox.openSession();
      const fds = [];
      try { for (;;) fds.push(openSync("/dev/null")); } catch {}
      for (let left = 0; left < 12; left += 1) {
        for (const each of [sandbox, session]) {
          const code = await each.run(["true"]).then((result) => result.outcome, (error) => error.code);
          if (code !== "exited" && code !== "LAUNCH_FAILED") console.log(left, code);
        }
        closeSync(fds.pop());
      }
      for (const fd of fds) closeSync(fd);
      for (const each of [sandbox, session]) console.log((await each.run(["true"])).exitCode);
      await session.close();`;
    const limited = ["-c", 'ulimit -n 256; exec "$@"', "sh", process.execPath];
    const { stdout, stderr } = spawnSync("sh", [...limited, "--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(stdout).toBe("0\n0\n");
  });

  const isRoot = process.getuid?.() === 0;
  const onlyOthers = isRoot ? " (skipped: root has no limit of processes)" : "";
  it.skipIf(isRoot)(`without pids a run is a named error${onlyOthers}`, () => {
    const script = `
      import { createSandbox } from ${core};
      import namespaces from ${backend};
      const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
      const runs = Array.from({ length: 40 }, () =>
        sandbox.run(["sleep", "2"]).then((result) => result.outcome, (error) => error.code));
      console.log([...new Set(await Promise.all(runs))].sort().join());
      console.log((await sandbox.run(["true"])).exitCode);`;
    // In a user namespace, where nobody else's processes count.
    const limited = ["--user", "--map-current-user", "prlimit", "--nproc=60", process.execPath];
    const argv = [...limited, "--input-type=module", "-e", script];
    const { stdout } = spawnSync("unshare", argv, { encoding: "utf8" });
    expect(stdout).toBe("LAUNCH_FAILED,exited\n0\n");
  });

  it("500 launches in parallel all run", async () => {
    const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
    const runs = Array.from({ length: 500 }, (_, number) =>
      sandbox.run(["sh", "-c", `exit ${number % 256}`]),
    );
    const codes = (await Promise.all(runs)).map(({ exitCode }) => exitCode);
    expect(codes).toEqual(Array.from({ length: 500 }, (_, number) => number % 256));
  }, 60_000);
});

describe.skipIf(skip)(`a hostile command${note}`, () => {
  const commands = {
    "forks twice": "(setsid sleep 999 &) & exit 3",
    "ignores every signal": "trap '' HUP INT QUIT TERM; (trap '' TERM; sleep 999) & exit 3",
    "stops what it leaves behind": "sleep 999 & kill -STOP $!; exit 3",
    "holds its output open": "sleep 999 & exit 3",
    "forks for ever": "(while :; do (sleep 999 &); done) & sleep 0.2; exit 3",
  };

  it.each(Object.entries(commands))("that %s ends, and leaves nothing", async (_, script) => {
    const marker = newMarker("hostile");
    const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
    const pool = await createPool({ cwd: "/" }, { backend: namespaces, size: 1 });
    for (const each of [sandbox, pool]) {
      const before = performance.now();
      const { exitCode } = await each.run(["sh", "-c", script, marker]);
      expect(exitCode).toBe(3);
      expect(performance.now() - before).toBeLessThan(10_000);
      expect(pidsWith(marker)).toEqual([]);
    }
    await pool.close();
  });
});
