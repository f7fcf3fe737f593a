import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { note, skip } from "./available.js";

const WORKER = fileURLToPath(new URL("support/worker.mjs", import.meta.url));

describe.skipIf(skip)(`a run in a worker thread${note}`, () => {
  it("opens no fd that Node would close with the thread", { timeout: 30_000 }, async () => {
    const worker = new Worker(WORKER, { stderr: true });
    let said = "";
    worker.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    const [[outputs]] = await Promise.all([once(worker, "message"), once(worker, "exit")]);
    expect(outputs).toEqual(["0\n", "1\n", "2\n"]);
    expect(said).not.toContain("unmanaged");
  });
});
