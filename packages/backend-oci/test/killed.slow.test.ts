import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { createSandbox, gc } from "@sandboxlib/core";
import { OWN_BASE, realHost } from "@sandboxlib/core/backend";
import { newMarker, pidsWith } from "@sandboxlib/test-support";
import { describe, expect, it } from "vitest";
import { ociWith } from "../src/index.js";
import { note, skip } from "./available.js";

/** What is killed is the same without root. */
const KILLS = process.getuid?.() === 0 ? 40 : 15;

/** Makes runs for ever, each with a process that tries to outlive it. */
const SCRIPT = `
import { createSandbox } from ${JSON.stringify(import.meta.resolve("@sandboxlib/core"))};
import { ociWith } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
const backend = ociWith(process.argv[1]);
const sandbox = await createSandbox({ cwd: "/" }, { backend });
process.stdout.write("ready");
for (;;) {
  const run = () => sandbox.run(["sh", "-c", "setsid sleep 999 & sleep 0.01", process.argv[2]]);
  await Promise.all([run(), run()]);
}`;

for (const runtime of ["crun", "runc"]) {
  const isThere = realHost().which(runtime) !== undefined;

  describe.skipIf(skip || !isThere)(`sandboxes of ${runtime}${note}`, () => {
    it("leave no process when the library is killed at any moment, and after gc no file", async () => {
      const marker = newMarker("oci-killed");
      for (let round = 0; round < KILLS; round += 1) {
        const words = ["--input-type=module", "-e", SCRIPT, runtime, marker];
        const library = spawn(process.execPath, words);
        const closed = once(library, "close");
        const word = once(library.stdout, "data").then(() => "ready");
        expect(await Promise.race([word, closed])).toBe("ready");
        await setTimeout(Math.random() * 150);
        library.kill("SIGKILL");
        await closed;
        await expect.poll(() => left(marker, library.pid), { timeout: 20_000 }).toEqual([]);
        // The watchdog may still be at the script that ends the container.
        const collected = async (): Promise<string[]> => {
          await gc();
          return files(library.pid);
        };
        await expect.poll(collected, { timeout: 20_000 }).toEqual([]);
      }
    }, 900_000);

    it("leave nothing when the runtime is killed at any moment", async () => {
      const sandbox = await createSandbox({ cwd: "/" }, { backend: ociWith(runtime) });
      const marker = newMarker("oci-runtime-killed");
      for (let round = 0; round < KILLS; round += 1) {
        const run = sandbox.run(["sh", "-c", "setsid sleep 999 & sleep 0.02", marker]);
        const settled = run.then(
          ({ outcome }) => outcome,
          (error: { code: string }) => error.code,
        );
        await setTimeout(Math.random() * 80);
        for (const pid of clients(process.pid)) kill(pid);
        expect(["exited", "LAUNCH_FAILED"]).toContain(await settled);
        expect(left(marker, process.pid)).toEqual([]);
        expect(files(process.pid)).toEqual([]);
      }
    }, 900_000);
  });
}

/** The processes of runs: of the program, of the init inside, and of the runtime. */
function left(marker: string, pid: number | undefined): number[] {
  return [...pidsWith(marker), ...clients(pid)];
}

/** A client of a runtime names the directory of the run, and that its owner. */
function clients(pid: number | undefined): number[] {
  return pidsWith(`${OWN_BASE}/${pid}-`).filter((each) => each !== process.pid);
}

function files(pid: number | undefined): string[] {
  const all = existsSync(OWN_BASE) ? readdirSync(OWN_BASE) : [];
  return all.filter((name) => name.startsWith(`${pid}-`));
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
