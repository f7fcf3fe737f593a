import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { describeWith } from "./support/backend.js";
import { BIN, startNode } from "./support/cli.js";

await describeWith("namespaces", "what a terminal shows last", () => {
  test("is kept for a reader that takes its time", { timeout: 60_000 }, async () => {
    // More than the pipes on the way take, and less than they and the terminal do: which is a matter of luck.
    const lines = [45_000, 48_000, 50_000];
    const got = lines.map(async (count) => {
      const argv = [BIN["run-sandbox"], "--quiet", "--tty", "--", "seq", "1", String(count)];
      const child = startNode(argv);
      onTestFinished(() => void child.kill("SIGKILL"));
      await sleep(7_000);
      let last = "";
      child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        last = (last + text).slice(-10);
      });
      const [exitCode] = (await once(child, "close")) as [number | null];
      return [exitCode, last.trim().split("\r\n").at(-1)];
    });
    expect(await Promise.all(got)).toEqual(lines.map((count) => [0, String(count)]));
  });
});
