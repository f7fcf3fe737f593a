import { describe, expect, it } from "vitest";
import { defineBackend, realHost, type ToolPlan } from "../../src/index.backend.js";
import { parseConfig } from "../../src/index.js";
import { resolvePaths } from "../../src/paths/resolve-paths.js";

const PLAN = {
  kind: "tool",
  argv: ["/bin/true"],
  env: {},
  interpret: () => ({ kind: "exited", exitCode: 0 }),
} as const satisfies Omit<ToolPlan, "mechanisms">;

const config = resolvePaths(parseConfig({ mounts: [] }), realHost());
const probe = async () => ({ available: true }) as const;

describe("defineBackend", () => {
  it("declares what it has a mechanism for, and every plan tells it", () => {
    const mechanisms = { cwd: "a tool", "network.none": "another" };
    const backend = defineBackend({ name: "two", mechanisms, probe, plan: () => PLAN });
    expect([...backend.capabilities]).toEqual(["cwd", "network.none"]);
    expect(backend.plan(config, realHost())).toEqual({ ...PLAN, mechanisms });
  });

  it("leaves to a plan what it says itself, and a refusal as it is", () => {
    const own = { mechanisms: { cwd: "here" } };
    const refusal = { refusal: { path: "cwd", reason: "is bad", hint: "Leave it out." } };
    const mechanisms = { cwd: "elsewhere" };
    const plan = () => ({ ...PLAN, ...own });
    const one = defineBackend({ name: "one", mechanisms, probe, plan });
    const none = defineBackend({ name: "none", mechanisms, probe, plan: () => refusal });
    expect(one.plan(config, realHost())).toEqual({ ...PLAN, ...own });
    expect(none.plan(config, realHost())).toEqual(refusal);
  });
});
