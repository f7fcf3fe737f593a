import { describe, expect, it } from "vitest";
import { defineBackend, type Found, realHost, type ToolPlan } from "../../src/index.backend.js";
import { createSandbox, parseConfig } from "../../src/index.js";
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

  it("declares nothing for a mechanism that is undefined or empty", () => {
    const mechanisms = { cwd: "a tool", root: undefined, "network.none": "" } as never;
    const backend = defineBackend({ name: "one", mechanisms, probe, plan: () => PLAN });
    expect([...backend.capabilities]).toEqual(["cwd"]);
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

  it("holds by its types what a plan says, and what holds in part, to what is declared", () => {
    const mechanisms = { cwd: "a tool", root: "it" };
    const one = { name: "one", mechanisms, probe } as const;
    defineBackend({ ...one, partly: { root: "some" }, plan: () => ({ ...PLAN, mechanisms }) });
    defineBackend({
      ...one,
      // @ts-expect-error -- `network.none` is not declared.
      plan: () => ({ ...PLAN, mechanisms: { cwd: "a tool", "network.none": "it" } }),
    });
    // @ts-expect-error -- `hidden` is not declared.
    const backend = defineBackend({ ...one, partly: { hidden: "some" }, plan: () => PLAN });
    expect([...backend.capabilities]).toEqual(["cwd", "root"]);
  });

  it("hands to a plan what the probe found", () => {
    const backend = defineBackend<{ readonly tool: string }>({
      name: "finds",
      mechanisms: { cwd: "a tool" },
      probe: async () => ({ available: true, findings: { tool: "/bin/tool" } }),
      plan: (_config, _host, { findings }) => ({ ...PLAN, argv: [findings?.tool ?? "none"] }),
    });
    const found = { available: true, findings: { tool: "/bin/tool" } } as const;
    expect(backend.plan(config, realHost(), found)).toMatchObject({ argv: ["/bin/tool"] });
    expect(backend.plan(config, realHost())).toMatchObject({ argv: ["none"] });
  });

  it("gives the plan of a sandbox what its own probe answered, and what builds on what is missing", async () => {
    let seen: Found | undefined;
    const missing = [{ capability: "mount.tmpfs", reason: "none" }] as const;
    const backend = defineBackend({
      name: "finds",
      mechanisms: { cwd: "a tool", "mount.tmpfs": "it", "mount.tmpfs.size": "it" },
      probe: async () => ({ available: true, findings: 7, missing }),
      plan(_config, _host, found) {
        seen = found;
        return PLAN;
      },
    });
    await createSandbox({ mounts: [], defaultMounts: false }, { backend, prefer: "all" });
    expect(seen).toMatchObject({
      available: true,
      findings: 7,
      missing: [...missing, { capability: "mount.tmpfs.size", reason: "none" }],
    });
  });
});
