import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { pidsWith } from "@sandboxlib/test-support";
import { describe, expect, it } from "vitest";
import { note, skip } from "./available.js";

/** Makes runs for ever, each with a process that tries to outlive it. */
const SCRIPT = `
import { createSandbox } from ${JSON.stringify(import.meta.resolve("@sandboxlib/core"))};
import bubblewrap from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
const sandbox = await createSandbox({ cwd: "/" }, { backend: bubblewrap });
process.stdout.write("ready");
for (;;) {
  const run = () => sandbox.run(["sh", "-c", "setsid sleep 999 & sleep 0.01", process.argv[1]]);
  await Promise.all([run(), run(), run()]);
}`;

describe.skipIf(skip)(`a library that is killed${note}`, () => {
  it("leaves no process, at whatever moment it is hit", async () => {
    const marker = `sandboxlib-killed-${process.pid}-${Date.now()}`;
    for (let round = 0; round < 20; round += 1) {
      const library = spawn(process.execPath, ["--input-type=module", "-e", SCRIPT, marker]);
      const closed = once(library, "close");
      const word = once(library.stdout, "data").then(() => "ready");
      expect(await Promise.race([word, closed])).toBe("ready");
      await setTimeout(round * 2);
      library.kill("SIGKILL");
      await closed;
    }
    await expect.poll(() => pidsWith(marker)).toEqual([]);
  }, 120_000);
});
