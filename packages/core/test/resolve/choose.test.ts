import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Host, realHost } from "../../src/index.backend.js";
import { probeOn } from "../../src/index.internal.js";
import type { Capability } from "../../src/index.js";
import { backendCode, evaluate, installBackend, installCore } from "../support/install.js";
import { temporary } from "../support/temporary.js";

const CHOSEN = "core.backendForPlatform().then(({ name }) => name)";
const MIDDLE = ["cwd", "tree.kill", "network.none"];
const STRONG = [...MIDDLE, "isolate.pid"];

/** A project with a weak, a middling and a strong backend, the strong one unavailable when told so. */
function project({ strongest = "{ available: true }" } = {}): string {
  const modules = join(temporary(), "node_modules");
  installCore(modules);
  const install = (name: string, capabilities: readonly string[], probe?: string): void =>
    installBackend(join(modules, name), {
      name,
      code: backendCode({ name, capabilities, ...(probe !== undefined && { probe }) }),
    });
  install("a-weak", ["cwd"]);
  install("b-middle", MIDDLE);
  install("c-strong", STRONG, strongest);
  return modules;
}

describe("probeOn", () => {
  it("tells what is missing once, for the reason of the backend rather than that of the host", async () => {
    const own = { capability: "limit.memory", reason: "own" } as const;
    const lacks = (["limit.memory", "limit.cpu", "limit.processes"] as const).map((capability) => ({
      capability,
      reason: "no cgroups",
    }));
    const backend = {
      name: "made-up",
      capabilities: new Set(["cwd"] as const),
      probe: async () => ({ available: true, missing: [own] }) as const,
    };
    const host = {} as Host;
    expect(await probeOn(backend, host, lacks)).toEqual({
      available: true,
      missing: [own, ...lacks.slice(1)],
    });
  });
});

describe("backendForPlatform", () => {
  it("gives the strongest backend that is available", () => {
    expect(evaluate(project(), CHOSEN)).toBe("c-strong");
    const unavailable = '{ available: false, reason: "no kernel", remedy: "Get one." }';
    expect(evaluate(project({ strongest: unavailable }), CHOSEN)).toBe("b-middle");
  });

  it("does not count what this host lacks", () => {
    const strongest = `{ available: true, missing: [
      { capability: "isolate.pid", reason: "x" }, { capability: "network.none", reason: "x" },
    ] }`;
    expect(evaluate(project({ strongest }), CHOSEN)).toBe("b-middle");
  });

  it("asks no backend that cannot be stronger, and loads none whose package says so", () => {
    const modules = join(temporary(), "node_modules");
    installCore(modules);
    const install = (name: string, capabilities: readonly string[], code: string): void => {
      const platforms = [process.platform];
      const sandboxlib = { backend: name, apiVersion: 1, platforms, capabilities };
      installBackend(join(modules, name), { name, sandboxlib, code });
    };
    install("a-weak", ["cwd"], "process.exit(99);");
    install("c-strong", STRONG, backendCode({ name: "c-strong", capabilities: STRONG }));
    const dies = { name: "b-middle", capabilities: MIDDLE, probe: "process.exit(98)" };
    installBackend(join(modules, "b-middle"), { name: "b-middle", code: backendCode(dies) });
    expect(evaluate(modules, CHOSEN)).toBe("c-strong");
  });

  it("passes over a backend for another platform", () => {
    const modules = project();
    installBackend(join(modules, "other"), {
      name: "other",
      sandboxlib: { backend: "other", apiVersion: 1, platforms: ["none"] },
      code: "process.exit(99);",
    });
    expect(evaluate(modules, CHOSEN)).toBe("c-strong");
  });

  it("passes over a backend that is broken, while there is another", () => {
    const modules = project();
    installBackend(join(modules, "broken"), { name: "broken", code: "throw new Error('broken');" });
    expect(evaluate(modules, CHOSEN)).toBe("c-strong");
  });

  it("says of each backend why it cannot run when none can", () => {
    const modules = join(temporary(), "node_modules");
    installCore(modules);
    for (const name of ["one", "two"]) {
      const probe = `{ available: false, reason: "${name} is missing", remedy: "Install ${name}." }`;
      installBackend(join(modules, name), { name, code: backendCode({ name, probe }) });
    }
    expect(evaluate(modules, CHOSEN)).toEqual({
      code: "BACKEND_UNAVAILABLE",
      message: expect.stringMatching(/one is missing.*two is missing/),
      hint: expect.stringMatching(/Install one\..*Install two\./),
    });
  });
});

describe("SANDBOXLIB_BACKEND", () => {
  const choose = (name: string, modules = project()): unknown =>
    evaluate(modules, CHOSEN, { env: { SANDBOXLIB_BACKEND: name } });

  it("overrides the choice", () => {
    expect(choose("a-weak")).toBe("a-weak");
  });

  it("is an error when no such backend is installed, and lists those that are", () => {
    expect(choose("no-such")).toMatchObject({
      code: "BACKEND_NOT_FOUND",
      message: expect.stringContaining('"no-such"'),
      hint: expect.stringContaining("a-weak, b-middle, c-strong"),
    });
  });

  it("is an error when that backend cannot run, though another could", () => {
    const strongest = '{ available: false, reason: "no kernel", remedy: "Get one." }';
    const answer = choose("c-strong", project({ strongest }));
    expect(answer).toMatchObject({ code: "BACKEND_UNAVAILABLE", hint: "Get one." });
  });

  it("is not set when it is empty", () => {
    expect(choose("")).toBe("c-strong");
  });

  it("leaves a backend alone that the caller names", () => {
    const expression = `core.createSandbox(
      { writable: "all", mounts: [], network: "host", isolate: [] },
      { backend: "b-middle" },
    ).then(({ backend }) => backend)`;
    const env = { SANDBOXLIB_BACKEND: "a-weak" };
    expect(evaluate(project(), expression, { env })).toBe("b-middle");
  });
});

describe("createSandbox without a backend", () => {
  const OPEN = 'writable: "all", mounts: [], isolate: []';
  const made = (config: string, options = "{}"): string =>
    `core.createSandbox(${config}, ${options}).then(({ backend, dropped }) => [backend, dropped.length])`;

  it("takes the strongest backend that can honour the config", () => {
    expect(evaluate(project(), made(`{ ${OPEN}, network: "none" }`))).toEqual(["c-strong", 0]);
  });

  it("passes over a stronger backend that cannot", () => {
    const modules = project();
    const capabilities = ["cwd", "tree.kill", "hidden", "hostname", "mount.dev", "mount.proc"];
    installBackend(join(modules, "other"), {
      name: "other",
      code: backendCode({ name: "other", capabilities }),
    });
    expect(evaluate(modules, made(`{ ${OPEN}, network: "none" }`))).toEqual(["c-strong", 0]);
  });

  it("says what the strongest one lacks when none can", () => {
    expect(evaluate(project(), made(`{ ${OPEN}, root: "/srv" }`))).toMatchObject({
      code: "CAPABILITY_UNSUPPORTED",
      message: expect.stringContaining("c-strong"),
    });
  });

  it("takes a backend of which some needs were let go", () => {
    expect(evaluate(project(), made("{ mounts: [] }", '{ prefer: "all" }'))).toEqual([
      "c-strong",
      6,
    ]);
  });
});

describe("a host that lacks a capability", () => {
  it("lacks what builds on it, for the same reason", async () => {
    const uts = { capability: "isolate.uts", reason: "not here", remedy: "Boot another." } as const;
    const capabilities = new Set<Capability>(["isolate.uts", "isolate.ipc", "hostname"]);
    const probe = async () => ({ available: true, missing: [uts] }) as const;
    expect(await probeOn({ name: "made-up", capabilities, probe }, realHost())).toEqual({
      available: true,
      missing: [uts, { ...uts, capability: "hostname" }],
    });
  });
});
