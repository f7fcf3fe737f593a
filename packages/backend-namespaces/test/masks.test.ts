import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConfigInput, createPool, createSandbox, isSandboxError } from "@sandboxlib/core";
import { describe, expect, it, onTestFinished } from "vitest";
import namespaces from "../src/index.js";
import { note, skip } from "./available.js";

const core = JSON.stringify(import.meta.resolve("@sandboxlib/core"));
const backend = JSON.stringify(new URL("../dist/index.js", import.meta.url).href);
const options = { backend: namespaces };

describe.skipIf(skip)(`masks that are looked at${note}`, () => {
  it("leave no fd open when the run, the session and the pool have ended", async () => {
    const { config } = hidden();
    const sandbox = await createSandbox(config, options);
    await sandbox.run(["true"]);
    const session = await sandbox.openSession();
    await session.run(["true"]);
    const pool = await createPool(config, { ...options, size: 2 });
    await pool.ready();
    expect(tables().length).toBeGreaterThan(0);
    await pool.run(["true"]);
    await Promise.all([session.close(), pool.close()]);
    await expect.poll(tables).toEqual([]);
  });

  it("fail a run that was aborted, too", async () => {
    const { config, replace } = hidden();
    const sandbox = await createSandbox({ ...config, limits: { wallTime: 60 } }, options);
    const aborter = new AbortController();
    const child = sandbox.spawn(["sh", "-c", "echo ready; sleep 60"], { signal: aborter.signal });
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    replace();
    aborter.abort();
    const error: unknown = await child.result.catch((reason: unknown) => reason);
    expect(isSandboxError(error) && [error.code, error.path]).toEqual([
      "VERIFY_FAILED",
      "hidden[0]",
    ]);
  });

  it("let this process end while a session is open and a pool waits", () => {
    const { config } = hidden();
    const script = `import { createPool, createSandbox } from ${core};
      import namespaces from ${backend};
      const [config, options] = [${JSON.stringify(config)}, { backend: namespaces }];
      await (await createPool(config, { ...options, size: 1 })).ready();
      await (await (await createSandbox(config, options)).openSession()).run(["true"]);`;
    const argv = ["--input-type=module", "-e", script];
    const { status, stderr } = spawnSync(process.execPath, argv, { timeout: 25_000 });
    expect([status, stderr.toString()]).toEqual([0, ""]);
  });
});

/** A hidden file of the host. */
function hidden(): { readonly config: ConfigInput; readonly replace: () => void } {
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-masks-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const [file, other] = [join(directory, "file"), join(directory, "other")];
  for (const path of [file, other]) writeFileSync(path, "secret\n");
  return {
    config: { cwd: "/", mounts: [], hidden: [file] },
    replace: () => renameSync(other, file),
  };
}

/** The mount tables that this process has open. */
function tables(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.endsWith("/mountinfo") ? [path] : [];
    } catch {
      return []; // The fd of the listing itself.
    }
  });
}
