import { expect, test } from "vitest";
import { outcomeOf } from "../../src/run/outcome.js";
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
