import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { createSandbox, type Sandbox } from "@sandboxlib/core";
import { describe, expect, it, onTestFinished } from "vitest";
import namespaces from "../src/index.js";
import { note, skip } from "./available.js";

describe.skipIf(skip)(`a launcher that a fork server has started ahead${note}`, () => {
  it("is there after two runs that were alike, and holds no mount of the host", async () => {
    const [, server] = await warm();
    const [, init] = await spare(server);
    expect(namespace(init, "mnt")).toBe(namespace(server, "mnt"));
    expect(namespace(init, "uts")).toBe(namespace(server, "uts"));
    expect(namespace(init, "net")).not.toBe(namespace(server, "net"));
  });

  it("ends with the server", async () => {
    const [, server] = await warm();
    const [launcher, init] = await spare(server);
    process.kill(server, "SIGKILL");
    await expect.poll(() => [launcher, init].filter(isThere)).toEqual([]);
  });

  it("is replaced when it has been killed", async () => {
    const [sandbox, server] = await warm();
    const [launcher, init] = await spare(server);
    process.kill(launcher, "SIGKILL");
    await expect.poll(() => [stateOf(launcher), isThere(init)]).toEqual(["Z", false]);
    expect((await sandbox.run(["true"])).exitCode).toBe(0);
    expect(isThere(launcher)).toBe(false);
  });

  it("is replaced when its pid 1 has been killed", async () => {
    const [sandbox, server] = await warm();
    const [launcher, init] = await spare(server);
    process.kill(init, "SIGKILL");
    await expect.poll(() => isThere(init)).toBe(false);
    expect((await sandbox.run(["true"])).exitCode).toBe(0);
    expect(isThere(launcher)).toBe(false);
  });

  it("is not used for a run that begins otherwise", async () => {
    const [sandbox, server] = await warm();
    const [launcher] = await spare(server);
    const { stdout } = await sandbox.run(["echo", "out"], { stderr: "discard" });
    expect(Buffer.from(stdout ?? []).toString()).toBe("out\n");
    expect(isThere(launcher)).toBe(false);
  });

  it("shows what the host has mounted since", () => {
    const directory = mkdtempSync(join(tmpdir(), "sandboxlib-spare-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const script = `
      import { spawnSync } from "node:child_process";
      import { createSandbox } from ${JSON.stringify(import.meta.resolve("@sandboxlib/core"))};
      import namespaces from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
      const mounts = [{ type: "bind", source: ${JSON.stringify(directory)}, target: "/mnt" }];
      const sandbox = await createSandbox({ cwd: "/", mounts }, { backend: namespaces });
      for (let run = 0; run < 3; run += 1) await sandbox.run(["true"]);
      const { status } = spawnSync("mount", ["-t", "tmpfs", "none", ${JSON.stringify(directory)}]);
      spawnSync("touch", [${JSON.stringify(join(directory, "later"))}]);
      const { stdout } = await sandbox.run(["ls", "/mnt"]);
      console.log(status, Buffer.from(stdout).toString());`;
    const node = [process.execPath, "--input-type=module", "-e", script];
    const argv = ["--user", "--map-root-user", "--mount", ...node];
    const { stdout, stderr } = spawnSync("unshare", argv, { encoding: "utf8", timeout: 20_000 });
    expect(stdout + stderr).toBe("0 later\n\n");
  });
});

describe.skipIf(skip)(`a program whose run was aborted${note}`, () => {
  it("does not begin, although the fork server has not passed the signal on", async () => {
    const scratch = mkdtempSync(join(tmpdir(), "sandboxlib-spare-"));
    onTestFinished(() => rmSync(scratch, { recursive: true }));
    // So many mounts take a while.
    const many = Array.from({ length: 1000 }, (_, index) => `/tmp/${index}`);
    const [sandbox, server] = await warm(scratch, many);
    for (let round = 0; ; round += 1) {
      const controller = new AbortController();
      const ran = join(scratch, `${round}`);
      const { signal } = controller;
      const [, init] = await spare(server);
      const run = sandbox.run(["touch", `/mnt/${round}`], { signal });
      // Until then the set-up has not come.
      while (namespace(init, "mnt") === namespace(server, "mnt")) await setImmediate();
      process.kill(server, "SIGSTOP");
      controller.abort();
      const hasBegun = existsSync(ran);
      // The server cannot reap the launcher.
      await expect.poll(() => childrenOf(server).map(stateOf), { timeout: 10_000 }).toEqual(["Z"]);
      process.kill(server, "SIGCONT");
      expect((await run).outcome).toBe("aborted");
      if (hasBegun) continue; // This process was too slow.
      expect(existsSync(ran)).toBe(false);
      return;
    }
  });
});

/** A sandbox that has run twice alike, and its fork server. */
async function warm(
  source?: string,
  targets: readonly string[] = [],
): Promise<[sandbox: Sandbox, server: number]> {
  const bind = (target: string) => ({ type: "bind" as const, source: source ?? "/", target });
  const mounts =
    source === undefined
      ? undefined
      : [{ type: "tmpfs" as const, target: "/tmp" }, ...["/mnt", ...targets].map(bind)];
  const sandbox = await createSandbox(
    { cwd: "/", ...(mounts && { mounts }) },
    { backend: namespaces },
  );
  for (let run = 0; run < 3; run += 1) await sandbox.run(["true"]);
  const [server = 0] = childrenOf(process.pid).filter((pid) => wordsOf(pid).includes("serve"));
  return [sandbox, server];
}

/** The launcher that waits, and its pid 1; the last run's may still be ending. */
async function spare(server: number): Promise<readonly [launcher: number, init: number]> {
  const find = (): readonly [launcher: number, init: number] | undefined => {
    try {
      const [[launcher, init] = [0, 0], ...others] = childrenOf(server).map(
        (pid) => [pid, childrenOf(pid)[0] ?? 0] as const,
      );
      const waits = others.length === 0 && namespace(init, "mnt") === namespace(server, "mnt");
      return waits ? [launcher, init] : undefined;
    } catch {
      return undefined; // One has ended between two looks.
    }
  };
  await expect.poll(find).toBeDefined();
  return find() ?? [0, 0];
}

function childrenOf(pid: number): number[] {
  const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
  return pids === "" ? [] : pids.split(" ").map(Number);
}

function wordsOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0");
}

function namespace(pid: number, name: string): string {
  return readlinkSync(`/proc/${pid}/ns/${name}`);
}

function isThere(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

/** See proc_pid_stat(5). */
function stateOf(pid: number): string | undefined {
  return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, "latin1"))?.[1];
}
