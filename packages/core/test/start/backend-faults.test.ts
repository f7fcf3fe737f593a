import { afterEach, describe, expect, it, vi } from "vitest";
import type { Backend, Host, Plan, ToolPlan } from "../../src/index.backend.js";
import { probeOn } from "../../src/index.internal.js";
import { createSandbox, run } from "../../src/index.js";

const TOOL: ToolPlan = {
  kind: "tool",
  argv: ["/usr/bin/env", "--"],
  env: {},
  mechanisms: { cwd: "nothing" },
  signals: "tool",
  interpret: () => ({ kind: "exited", exitCode: 0 }),
};

/** A backend that runs programs on the host, but for what a test puts in its place. */
function faulty(edit: object): Backend {
  return {
    apiVersion: 1,
    name: "faulty",
    capabilities: new Set(["cwd"]),
    probe: async () => ({ available: true }),
    plan: () => TOOL,
    ...edit,
  };
}

const CONFIG = { cwd: "/", mounts: [], command: ["true"] };

function answering(answer: unknown): Backend {
  return faulty({ probe: async () => answer });
}

function planning(edit: object): Backend {
  return faulty({ plan: () => ({ ...TOOL, ...edit }) as Plan });
}

function throwing(thrown: unknown): () => never {
  return () => {
    throw thrown;
  };
}

/** That the backend is named, and what it did. */
function broken(what: string): object {
  const message = `the backend faulty does not keep the contract: ${what}`;
  return { code: "BACKEND_INVALID", backend: "faulty", hint: "Tell its author.", message };
}

const REFUSAL = { path: "cwd", reason: "is bad", hint: "Leave it out." };

const THROWN = "failed with what is no SandboxError: oh no";

describe("a probe", () => {
  it.each([
    ["throws", faulty({ probe: throwing(new Error("oh no")) }), THROWN],
    ["rejects with a text", faulty({ probe: () => Promise.reject("oh no" as never) }), THROWN],
    ["says nothing", answering(undefined), "answered undefined, which is no object"],
    ["says a word", answering("yes"), "answered yes, which is no object"],
    ["does not say whether", answering({}), "answered with `available` undefined"],
    [
      "does not say why not",
      answering({ available: false }),
      "answered false without a reason and a remedy",
    ],
    [
      "lists what is missing without a reason",
      answering({ available: true, missing: ["cwd"] }),
      "answered with a `missing` that is no list of capabilities and reasons",
    ],
    [
      "has a note that is no text",
      answering({ available: true, notes: "old" }),
      "answered with `notes` that are no list of texts",
    ],
  ])("that %s is BACKEND_INVALID", async (_, backend, what) => {
    const made = createSandbox(CONFIG, { backend, prefer: "all" });
    await expect(made).rejects.toMatchObject(broken(`its probe ${what}`));
  });

  afterEach(() => void vi.useRealTimers());

  it("that never answers is BACKEND_INVALID after 30 seconds", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const asked = probeOn(faulty({ probe: () => new Promise(() => undefined) }), {} as Host);
    const failed = expect(asked).rejects.toMatchObject(
      broken("its probe has not answered for 30 s"),
    );
    await vi.advanceTimersByTimeAsync(30_000);
    await failed;
  });
});

describe("a plan", () => {
  it.each([
    ["throws", faulty({ plan: throwing(new Error("oh no")) }), `its plan ${THROWN}`],
    ["is nothing", faulty({ plan: () => undefined }), "its plan is undefined, which is no object"],
    [
      "is a promise",
      faulty({ plan: async () => TOOL }),
      "its plan is of the kind undefined, and its isEngine is false",
    ],
    [
      "refuses without a word",
      faulty({ plan: () => ({ refusal: {} }) }),
      "it refuses without a path, a reason and a hint",
    ],
    [
      "refuses a part of no word",
      faulty({ plan: () => ({ refusal: { ...REFUSAL, capability: 7 } }) }),
      "it refuses a part of number that `partly` does not tell of",
    ],
    [
      "refuses a part that nobody knows of",
      faulty({ plan: () => ({ refusal: { ...REFUSAL, capability: "cwd" } }) }),
      "it refuses a part of cwd that `partly` does not tell of",
    ],
    ["has no words", planning({ argv: [] }), "in its plan, argv is empty"],
    ["has no list of words", planning({ argv: "x" }), "in its plan, argv is no list of words"],
    [
      "has a relative tool",
      planning({ argv: ["env"] }),
      "in its plan, argv begins with what is no absolute path",
    ],
    [
      "has a word with a NUL",
      planning({ argv: ["/x", "a\0"] }),
      "in its plan, argv.1 contains a NUL byte",
    ],
    ["has an environment of numbers", planning({ env: { A: 1 } }), "in its plan, env.A is no text"],
    [
      "has no environment",
      planning({ env: undefined }),
      "in its plan, env is no object of variables",
    ],
    [
      "cannot be interpreted",
      planning({ interpret: undefined }),
      "in its plan, interpret is no function",
    ],
    [
      "has a readReport of text",
      planning({ readReport: "x" }),
      "in its plan, readReport is no function",
    ],
    [
      "sends signals to what there is not",
      planning({ signals: "program" }),
      "in its plan, signals is none of tool, child of tool, child of init, child of supervisor",
    ],
    [
      "waits to be verified, and does not tell what",
      planning({ fds: { 3: "hold" } }),
      "in its plan, fds has a hold, and there is no readReport to tell which sandbox to verify",
    ],
    [
      "reports, and does not say where signals go",
      planning({ readReport: () => ({}), signals: undefined }),
      "in its plan, readReport is there, and signals does not say which process the program is",
    ],
    [
      "gives data on standard output",
      planning({ fds: { 1: { data: "x" } } }),
      "in its plan, fds has a key that is no number from 3 on",
    ],
    [
      "gives an odd fd",
      planning({ fds: { 3: "x" } }),
      "in its plan, fds.3 is nothing that a tool can find on an fd",
    ],
    [
      "has steps that cannot be taken back",
      planning({ before: [{ run: ["/bin/true"], undo: ["/bin/rm", "/file"] }] }),
      "in its plan, before.0.undo is no { kind, path } of something to unmount or to remove",
    ],
    [
      "sets limits now and then",
      planning({ setsLimits: false }),
      "in its plan, setsLimits is neither true nor absent",
    ],
    [
      "has a clone of something else",
      planning({ clone: { program: "/bin/true", by: "/bin/true" } }),
      "in its plan, clone names a program that is no word of argv",
    ],
    [
      "has no mechanisms",
      planning({ mechanisms: undefined }),
      "in its plan, mechanisms is no object",
    ],
    [
      "does not say how it enforces",
      planning({ mechanisms: {} }),
      "it declares cwd, and its plan names no mechanism for it",
    ],
    [
      "says nothing of how it enforces",
      planning({ mechanisms: { cwd: "" } }),
      "it declares cwd, and its plan names no mechanism for it",
    ],
    [
      "for the launcher has no set-up",
      faulty({ plan: () => ({ ...TOOL, kind: "launcher" }) }),
      "in its plan, setup is no object",
    ],
    [
      "for an engine cannot be started",
      faulty({ isEngine: true, plan: () => ({ ...TOOL, kind: "engine" }) }),
      "in its plan, start is no function",
    ],
  ])("that %s is BACKEND_INVALID", async (_, backend, what) => {
    const made = createSandbox(CONFIG, { backend, prefer: "all" });
    await expect(made).rejects.toMatchObject(broken(what));
  });
});

const REPORTING = {
  argv: ["/bin/sh", "-c", "echo word >&3; exec sleep 60"],
  fds: { 3: "report" },
} as const;

describe("what a backend makes of a run", () => {
  it.each<[string, object, string]>([
    ["a throw", { interpret: throwing(new Error("oh no")) }, `its interpret ${THROWN}`],
    ["nothing", { interpret: () => undefined }, "it gave no verdict on the program"],
    [
      "an exit code that there is not",
      { interpret: () => ({ kind: "exited", exitCode: 999 }) },
      "it gave the exit code 999",
    ],
    [
      "a signal that there is not",
      { interpret: () => ({ kind: "signaled", signal: null }) },
      "it gave the signal null",
    ],
    [
      "a failure without a code",
      { interpret: () => ({ kind: "failed", code: "OOPS", message: "" }) },
      "it gave the error code OOPS",
    ],
    [
      "a report without a pid",
      { readReport: () => ({}) },
      "its readReport found no pid in all that its tool reported",
    ],
    [
      "a report that it cannot read",
      { ...REPORTING, readReport: throwing(new Error("oh no")) },
      `its readReport ${THROWN}`,
    ],
    [
      "no report",
      { ...REPORTING, readReport: () => undefined },
      "its readReport failed with what is no SandboxError: it answered undefined, which is no object",
    ],
    ...[0, -1, 1, 1.5, "12"].map((initPid): [string, object, string] => [
      `the pid ${String(initPid)}`,
      { ...REPORTING, readReport: () => ({ initPid }) },
      `its readReport failed with what is no SandboxError: it answered with the pid ${initPid}`,
    ]),
  ])("that is %s is BACKEND_INVALID, and the tool is ended", async (_, edit, what) => {
    const failed = run(CONFIG, { backend: planning(edit), prefer: "all" });
    await expect(failed).rejects.toMatchObject(broken(what));
  });
});
