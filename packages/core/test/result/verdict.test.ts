import { describe, expect, it } from "vitest";
import { SandboxError, type SandboxResult, verdictOf } from "../../src/index.js";

const REST = {
  usage: { wallTime: 2, userTime: 0.5, systemTime: 0.25, peakMemory: 4096 },
  backend: "x",
  enforcement: { enforced: [], dropped: [] },
};
const FIGURES = { time: 0.75, wallTime: 2, memory: 4096 };

describe("the verdict of a judge", () => {
  it.each<[Partial<SandboxResult>, object]>([
    [
      { outcome: "exited", exitCode: 0 },
      { status: "OK", exitCode: 0 },
    ],
    [
      { outcome: "exited", exitCode: 3 },
      { status: "RE", exitCode: 3 },
    ],
    [
      { outcome: "signaled", signal: "SIGSEGV" },
      { status: "SG", signal: "SIGSEGV" },
    ],
    [{ outcome: "timed-out" }, { status: "TO" }],
    [
      { outcome: "timed-out", afterStop: { exitCode: 0 } },
      { status: "TO", exitCode: 0 },
    ],
    [
      { outcome: "timed-out", afterStop: { signal: "SIGTERM" } },
      { status: "TO", signal: "SIGTERM" },
    ],
    [{ outcome: "limit-exceeded", exceeded: { limit: "stdout", bytes: 1 } }, { status: "OL" }],
    [{ outcome: "limit-exceeded", exceeded: { limit: "stderr", bytes: 1 } }, { status: "OL" }],
    [{ outcome: "aborted" }, { status: "XX" }],
  ])("of %j is %j", (result, verdict) => {
    const { message, ...said } = verdictOf({ ...REST, ...result } as SandboxResult);
    expect(said).toEqual({ ...verdict, ...FIGURES });
    expect(message).not.toBe("");
  });

  it.each([
    ["memory", "ML"],
    ["cpuTime", "TO"],
    ["fileSize", "OL"],
    ["another", "RE"],
  ])("of a run that exceeded %s is %s", (limit, status) => {
    const result = { ...REST, outcome: "limit-exceeded", exceeded: { limit } };
    expect(verdictOf(result as unknown as SandboxResult).status).toBe(status);
  });

  it.each([new SandboxError("LAUNCH_FAILED", "no fds"), new Error("no fds")])(
    "of %s is XX, with its message",
    (error) => {
      const { status, message } = verdictOf(error);
      expect([status, message.endsWith("no fds")]).toEqual(["XX", true]);
    },
  );

  it("leaves out what the backend cannot tell", () => {
    const result: SandboxResult = {
      ...REST,
      outcome: "exited",
      exitCode: 0,
      usage: { wallTime: 1 },
    };
    expect(verdictOf(result)).toEqual({
      status: "OK",
      message: "exited with status 0",
      exitCode: 0,
      wallTime: 1,
    });
  });
});
