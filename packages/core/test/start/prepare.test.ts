import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Backend } from "../../src/index.backend.js";
import { createPool, createSandbox } from "../../src/index.js";
import { temporary } from "../support/temporary.js";

const OPEN = { cwd: "/", writable: "all", mounts: [], network: "host", isolate: [] } as const;

/** A backend whose probe hangs in a process of the host, which tells its pid in a file. */
function hanging(file: string): Backend {
  return {
    apiVersion: 1,
    name: "hanging",
    capabilities: new Set(["cwd", "tree.kill"]),
    probe: async (host) => {
      await host.run(["/bin/sh", "-c", 'echo $$ > "$0"; sleep 60', file]);
      return { available: false, reason: "it was ended", remedy: "" };
    },
    plan: () => {
      throw new Error("nothing is planned after an abort");
    },
  };
}

function pidIn(file: string): number {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch {
    return 0;
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.each([
  ["createSandbox", createSandbox],
  ["createPool", (config: object, options: object) => createPool(config, { size: 1, ...options })],
] as const)("an abort of %s", (_, create) => {
  it("before anything has begun rejects at once, whatever the config", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(create({ nonsense: 1 } as object, { signal })).rejects.toThrow("enough");
  });

  it("ends the probe, and nothing is left of it", async () => {
    const file = join(temporary(), "pid");
    const controller = new AbortController();
    const creating = create(OPEN, { backend: hanging(file), signal: controller.signal });
    creating.catch(() => undefined);
    await expect.poll(() => pidIn(file)).toBeGreaterThan(0);
    controller.abort(new Error("enough"));
    await expect(creating).rejects.toThrow("enough");
    await expect.poll(() => isThere(pidIn(file))).toBe(false);
  });
});
