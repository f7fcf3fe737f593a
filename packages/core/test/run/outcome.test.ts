import { describe, expect, it, test } from "vitest";
import type { Verdict } from "../../src/backend/running.js";
import { exceededLimit, outcomeOf } from "../../src/run/outcome.js";
import type { CheckedEnd } from "../../src/start/started.js";

const LOST: CheckedEnd = {
  verdict: () => ({ kind: "failed", code: "LAUNCH_FAILED", message: "lost" }),
  enforced: () => [],
};
const SEEN = {
  stderr: undefined,
  stopped: undefined,
  killed: false,
  limits: {},
  tellsSignals: true,
} as const;

test("a sandbox that fails after a signal that the program has handled is an error", () => {
  expect(() => outcomeOf(LOST, { ...SEEN, signaled: "SIGUSR1" })).toThrow("lost");
});

test("what the caller's SIGKILL has ended is signaled, whether or not there was a program yet", () => {
  const killed = { outcome: "signaled", signal: "SIGKILL" };
  expect(outcomeOf(LOST, { ...SEEN, signaled: "SIGKILL" })).toEqual(killed);
});

const NOTHING_SEEN = { limits: {}, signaled: undefined, tellsSignals: true } as const;
const died = (signal: NodeJS.Signals): Verdict => ({ kind: "signaled", signal });

describe("the limit that ended a program", () => {
  const cpuTime = 60;
  const seen = { ...NOTHING_SEEN, limits: { cpuTime } };

  it.each<[NodeJS.Signals, number | undefined, object | undefined]>([
    ["SIGXCPU", 60.01, { limit: "cpuTime", seconds: 60 }],
    ["SIGXCPU", undefined, { limit: "cpuTime", seconds: 60 }],
    // It has sent that to itself.
    ["SIGXCPU", 0.01, undefined],
    ["SIGKILL", 61, { limit: "cpuTime", seconds: 60 }],
    ["SIGKILL", 0.01, undefined],
    ["SIGKILL", undefined, undefined],
  ])("with cpuTime 60 and %s after %s s of processor time is %j", (signal, userTime, exceeded) => {
    const usage = userTime === undefined ? {} : { userTime, systemTime: 0 };
    expect(exceededLimit(died(signal), { usage }, seen)).toEqual(exceeded);
  });

  it("is the memory where SIGKILL came for want of it, and not from the caller", () => {
    const ended = { outOfMemory: 4096 };
    expect(exceededLimit(died("SIGKILL"), ended, NOTHING_SEEN)).toEqual({
      limit: "memory",
      bytes: 4096,
    });
    const ours = { ...NOTHING_SEEN, signaled: "SIGKILL" } as const;
    expect(exceededLimit(died("SIGKILL"), ended, ours)).toBe(undefined);
    expect(exceededLimit({ kind: "exited", exitCode: 137 }, ended, ours)).toBe(undefined);
  });
});
