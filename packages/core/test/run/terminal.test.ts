import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { PlanFd } from "../../src/backend/plan.js";
import { assertOwnTerminal } from "../../src/run/terminal.js";
import type { Prepared } from "../../src/start/prepared.js";
import { thrown } from "../support/thrown.js";

function prepared(...fds: readonly PlanFd[]): Prepared {
  const plan = {
    kind: "tool",
    argv: ["/nowhere"],
    env: {},
    mechanisms: {},
    fds: Object.fromEntries(fds.entries()),
  };
  return { plan, backend: "made-up" } as unknown as Prepared;
}

/** The 256th of them, as st_rdev has it. */
const SOME_TERMINAL = 0x10_88_00;

describe.skipIf(process.platform !== "linux")("a terminal as a standard stream", () => {
  it("is refused where it is nobody's, and nothing filters system calls", async () => {
    for (const fds of [[], ["report", "lifeline", { data: "" }]] as const) {
      const error = await thrown(() => assertOwnTerminal(prepared(...fds), "stdin", SOME_TERMINAL));
      expect(error).toMatchObject({ code: "LAUNCH_FAILED", path: "stdin", backend: "made-up" });
      expect(error.hint).toContain("Redirect");
    }
  });

  it("may be any where there is a filter, as the launcher has one", () => {
    for (const filter of ["filter", { filter: "default" }] as const)
      assertOwnTerminal(prepared("report", filter), "stdin", SOME_TERMINAL);
    const launcher = { plan: { kind: "launcher", setup: {} } } as unknown as Prepared;
    assertOwnTerminal(launcher, "stdin", SOME_TERMINAL);
  });

  it("may be that of this process's session", () => {
    const [, stat = ""] = readFileSync("/proc/self/stat", "latin1").split(") ");
    const own = Number(stat.split(" ")[4]);
    for (const device of own === 0 ? [0x5_00] : [own >>> 0, 0x5_00])
      assertOwnTerminal(prepared(), "stdin", device);
  });
});
