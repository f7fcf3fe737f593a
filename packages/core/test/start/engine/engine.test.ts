import { PassThrough, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Backend, EnginePlan, Running, Verdict } from "../../../src/index.backend.js";
import { createSandbox, type RunOptions, SandboxError } from "../../../src/index.js";

/** A new one for each run: whoever runs a program listens to its streams. */
function content(): Running {
  return {
    startedAt: 0,
    streams: {
      stdin: new PassThrough().resume(),
      stdout: Readable.from([]),
      stderr: Readable.from([]),
    },
    ended: Promise.resolve({ verdict: () => ({ kind: "exited", exitCode: 0 }) }),
    signal: () => true,
    kill: () => true,
  };
}

/** Runs `true` with an engine of these parts. */
async function runWith(edit: object | undefined, options: RunOptions = {}) {
  const start: EnginePlan["start"] = () =>
    edit === undefined ? (undefined as unknown as Running) : { ...content(), ...edit };
  return (
    await sandboxOf({ kind: "engine", request: {}, mechanisms: { cwd: "an engine" }, start })
  ).run(["true"], options);
}

function sandboxOf(plan: EnginePlan) {
  const backend: Backend = {
    apiVersion: 1,
    name: "made-up",
    isEngine: true,
    capabilities: new Set(["cwd"]),
    probe: async () => ({ available: true }),
    plan: () => plan,
  };
  return createSandbox({ cwd: "/" }, { backend, prefer: "all" });
}

const never = new Promise<never>(() => undefined);

describe("an engine", () => {
  it("that answers with a Running is content", async () => {
    const { outcome, exitCode } = await runWith({});
    expect([outcome, exitCode]).toEqual(["exited", 0]);
  });

  it.each([
    ["nothing at all", undefined],
    ["no end", { ended: undefined }],
    ["no way to end it", { kill: undefined }],
    ["no streams", { streams: { stdin: null, stdout: null, stderr: null } }],
    ["no verdict", { ended: Promise.resolve({}) }],
    ["an exit code of 256", { ended: ended({ kind: "exited", exitCode: 256 }) }],
    ["an exit code that is no number", { ended: ended({ kind: "exited", exitCode: NaN }) }],
    [
      "a signal that there is not",
      { ended: ended({ kind: "signaled", signal: "SIGNONE" as never }) },
    ],
    [
      "a code that there is not",
      { ended: ended({ kind: "failed", code: "NONE" as never, message: "" }) },
    ],
    [
      "an error of its own",
      {
        get ended() {
          return Promise.reject(new Error("gone"));
        },
      },
    ],
    ["a removal that fails in its own words", { remove: () => Promise.reject(new Error("no")) }],
  ])("that answers with %s is BACKEND_INVALID", async (_, edit) => {
    await expect(runWith(edit)).rejects.toMatchObject({ code: "BACKEND_INVALID" });
  });

  it("that fails with a SandboxError fails the run with it", async () => {
    const error = new SandboxError("LAUNCH_FAILED", "no engine");
    await expect(runWith({ ended: Promise.reject(error) })).rejects.toBe(error);
  });

  it("that gives no streams is told to end what it has started, and its own end is no unhandled rejection", async () => {
    let isKilled = false;
    let fail: (error: Error) => void = () => undefined;
    const late = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const kill = (): boolean => {
      isKilled = true;
      setImmediate(() => fail(new Error("killed")));
      return true;
    };
    const streams = { stdin: null, stdout: null, stderr: null };
    await expect(runWith({ streams, kill, ended: late })).rejects.toMatchObject({
      code: "BACKEND_INVALID",
    });
    expect(isKilled).toBe(true);
  });

  it("that throws when it is told to end does not end this process", async () => {
    const kill = (): never => {
      throw new Error("no");
    };
    const controller = new AbortController();
    const running = runWith({ ended: never, kill }, { signal: controller.signal });
    setTimeout(() => controller.abort(), 10);
    await expect(running).rejects.toMatchObject({ code: "BACKEND_INVALID" });
  });

  it("gives no plan of another kind, and nobody else gives one of its", async () => {
    const tool = { kind: "tool", argv: ["/bin/true"], env: {}, mechanisms: {} };
    await expect(sandboxOf(tool as unknown as EnginePlan)).rejects.toMatchObject({
      code: "BACKEND_INVALID",
    });
  });
});

function ended(verdict: Verdict): Running["ended"] {
  return Promise.resolve({ verdict: () => verdict });
}
