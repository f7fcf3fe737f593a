import { createSandbox } from "@sandboxlib/core";
import { describe, expect, it } from "vitest";
import namespaces from "../src/index.js";
import { note, skip } from "./available.js";

const MEBIBYTE = 1024 * 1024;
const TEN_GIGABYTES = 10 * 1024 * MEBIBYTE;
const ARGV = ["head", "-c", String(TEN_GIGABYTES), "/dev/zero"];

describe.skipIf(skip)(`ten gigabytes of output${note}`, () => {
  it("flow through a pipe, and take little memory", { timeout: 600_000 }, async () => {
    const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
    const before = process.memoryUsage.rss();
    const child = sandbox.spawn(ARGV);
    let [bytes, most] = [0, before];
    for await (const chunk of child.stdout ?? []) {
      bytes += (chunk as Buffer).length;
      most = Math.max(most, process.memoryUsage.rss());
    }
    const { outcome, exitCode } = await child.result;
    expect([outcome, exitCode, bytes]).toEqual(["exited", 0, TEN_GIGABYTES]);
    expect(most - before).toBeLessThan(256 * MEBIBYTE);
  });

  it("are cut at maxOutput, in bounded time", async () => {
    const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
    const before = process.memoryUsage.rss();
    const { exceeded, stdout, usage } = await sandbox.run(ARGV, { maxOutput: 8 * MEBIBYTE });
    expect(exceeded).toEqual({ limit: "stdout", bytes: 8 * MEBIBYTE });
    expect(stdout?.length).toBe(8 * MEBIBYTE);
    expect(usage.wallTime).toBeLessThan(10);
    expect(process.memoryUsage.rss() - before).toBeLessThan(256 * MEBIBYTE);
  });
});
