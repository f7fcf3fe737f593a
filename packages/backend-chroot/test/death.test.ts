import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gc } from "@sandboxlib/core";
import { pidsWith } from "@sandboxlib/test-support";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeAsRoot, type SmallRoot, smallRoot } from "./fixture.js";

const CALLER = fileURLToPath(new URL("caller.mjs", import.meta.url));

describeAsRoot("the death of the caller", () => {
  let small: SmallRoot;
  beforeAll(() => {
    small = smallRoot();
  });
  afterAll(() => small.remove());

  const start = (path: "launcher" | "tools" | "posix", script: string): ChildProcess =>
    spawn(process.execPath, [CALLER, path, small.root, script], {
      stdio: ["ignore", "pipe", "inherit"],
    });

  const kill = async (caller: ChildProcess): Promise<void> => {
    caller.kill("SIGKILL");
    await once(caller, "exit");
  };

  /** Waits for the program; fails when its caller ends first. */
  const up = async (caller: ChildProcess): Promise<void> => {
    const word = once(caller.stdout ?? caller, "data").then(String);
    expect(await Promise.race([word, once(caller, "close")])).toBe("up\n");
  };

  /** What gc cannot take back; of other runs, of mount namespaces that are gone say, it may have much to tell. */
  const leftBehind = async (): Promise<string[]> => {
    const { failed, unsure } = await gc();
    return [...failed, ...unsure].filter((line) => line.includes(small.directory));
  };

  it.each(["launcher", "tools"] as const)(
    "on Linux, by the %s, leaves no process and no mount",
    async (path) => {
      const before = small.mounts();
      const script = `(setsid sleep 57.4711 &) ; setsid sleep 57.4711 & echo up; sleep 57.4711`;
      const caller = start(path, script);
      await up(caller);
      await kill(caller);
      await expect.poll(() => pidsWith("57.4711")).toEqual([]);
      expect(small.mounts()).toBe(before);
    },
  );

  it("on Linux, by the tools, leaves no process and no mount at any moment of the setup", async () => {
    const before = small.mounts();
    for (let moment = 0; moment < 12; moment += 1) {
      const caller = start("tools", "setsid sleep 57.4712 & sleep 57.4712");
      // The caller is the first that has the script among its words.
      await expect
        .poll(() => pidsWith("57.4712").length, { timeout: 30_000, interval: 1 })
        .toBeGreaterThan(1);
      await setTimeout(moment * 3);
      await kill(caller);
      await expect.poll(() => [...pidsWith("57.4712"), ...pidsWith(small.root)]).toEqual([]);
    }
    expect(small.mounts()).toBe(before);
  }, 120_000);

  it("elsewhere leaves mounts, which gc takes back", async () => {
    const before = small.mounts();
    const caller = start("posix", "sleep 0.3; echo up; exec sleep 57.4713");
    await up(caller);
    await kill(caller);
    await expect.poll(() => pidsWith("57.4713")).toEqual([]);
    expect(small.mounts()).not.toBe(before);
    expect(await leftBehind()).toEqual([]);
    expect(small.mounts()).toBe(before);
  });

  it("elsewhere leaves mounts of all its threads, which gc takes back", async () => {
    const before = small.mounts();
    const roots = [small.root, small.path("other")];
    cpSync(small.root, small.path("other"), { recursive: true, verbatimSymlinks: true });
    const script = "echo up; exec sleep 57.4714";
    const threads = `
      const { Worker } = require("node:worker_threads");
      for (const root of ${JSON.stringify(roots)})
        new Worker(${JSON.stringify(CALLER)}, { argv: ["posix", root, ${JSON.stringify(script)}] });`;
    const caller = spawn(process.execPath, ["-e", threads], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    caller.stdout.on("data", (chunk: Buffer) => {
      said += chunk;
    });
    await expect.poll(() => said, { timeout: 25_000 }).toBe("up\nup\n");
    await kill(caller);
    await expect.poll(() => pidsWith("57.4714")).toEqual([]);
    for (const root of roots) expect(small.mounts()).toContain(root);
    expect(await leftBehind()).toEqual([]);
    expect(small.mounts()).toBe(before);
  });
});
