import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSandbox } from "@sandboxlib/core";
import { afterAll, describe, expect, it } from "vitest";
import { describeBackend } from "../../src/index.js";
import { engineAt } from "./example.js";
import { servers } from "./servers.js";

const engines = servers();
const { path: socket } = await engines.start("kit");

afterAll(() => engines.stop());

describeBackend(engineAt(socket));

describe("an engine", () => {
  it("that dies during a run ends it with LAUNCH_FAILED", async () => {
    const { path, server } = await engines.start("dies");
    const child = (await bare(path)).spawn(["/bin/cat"]);
    child.stdin?.write("ready");
    await once(child.stdout ?? expect.fail(), "data");
    server.kill("SIGKILL");
    await expect(child.result).rejects.toMatchObject({ code: "LAUNCH_FAILED" });
  });

  it("reads a FIFO of the caller, and writes to one", async () => {
    const place = mkdtempSync(join(tmpdir(), "sandboxlib-fifo-"));
    const [input, output] = ["in", "out"].map((name) => {
      const path = join(place, name);
      execFileSync("mkfifo", [path]);
      const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      return { read, write: openSync(path, constants.O_WRONLY) };
    }) as [Fifo, Fifo];
    writeSync(input.write, "given");
    closeSync(input.write);
    const options = { stdin: { fd: input.read }, stdout: { fd: output.write } };
    const { exitCode } = await (await bare(socket)).run(["/bin/cat"], options);
    const taken = Buffer.alloc(16);
    const size = readSync(output.read, taken);
    for (const fd of [input.read, output.read, output.write]) closeSync(fd);
    rmSync(place, { recursive: true });
    expect([exitCode, taken.toString("utf8", 0, size)]).toEqual([0, "given"]);
  });

  it("is never believed that something is verified", async () => {
    const { enforcement } = await (await bare(socket)).run(["/bin/true"]);
    expect(enforcement.enforced.map(({ known }) => known)).not.toContain("verified");
  });

  it("has its request in the plan, as data", async () => {
    const { plan } = await bare(socket);
    expect(JSON.parse(JSON.stringify(plan))).toMatchObject({
      kind: "engine",
      request: { socket, cwd: "/" },
    });
  });

  it("gets no cgroup, and says so", async () => {
    const options = {
      backend: engineAt(socket),
      prefer: "all",
      cgroup: "/sys/fs/cgroup",
    } as const;
    await expect(createSandbox({ cwd: "/" }, options)).rejects.toMatchObject({
      code: expect.stringMatching(/CONFIG_INVALID|PATH_INVALID/),
      path: "cgroup",
    });
  });
});

interface Fifo {
  readonly read: number;
  readonly write: number;
}

function bare(path: string): ReturnType<typeof createSandbox> {
  return createSandbox({ cwd: "/" }, { backend: engineAt(path), prefer: "all" });
}
