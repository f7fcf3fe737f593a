import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { backendCode, evaluate, installBackend, installCore } from "../support/install.js";
import { plant, temporary } from "../support/temporary.js";

const NAMES = "core.installedBackends().map(({ name }) => name)";

/** A project with the library in its `node_modules`. */
function project(): { at: string; modules: string } {
  const at = temporary();
  const modules = join(at, "node_modules");
  installCore(modules);
  return { at, modules };
}

describe("discovery", () => {
  it("finds nothing where nothing is installed", () => {
    const { modules } = project();
    expect(evaluate(modules, "core.installedBackends()")).toEqual([]);
    expect(evaluate(modules, "core.backendForPlatform()")).toMatchObject({
      code: "BACKEND_NOT_FOUND",
    });
  });

  it("finds the packages beside the library, under any scope or none", () => {
    const { modules } = project();
    installBackend(join(modules, "@sandboxlib/backend-one"), { name: "one" });
    installBackend(join(modules, "@another/two"), { name: "two" });
    installBackend(join(modules, "three"), { name: "three" });
    expect(evaluate(modules, NAMES)).toEqual(["one", "three", "two"]);
  });

  it("tells what package.json says, and runs no code for it", () => {
    const { modules } = project();
    installBackend(join(modules, "one"), { name: "one", code: "process.exit(99);" });
    expect(evaluate(modules, "core.installedBackends()")).toEqual([
      {
        name: "one",
        packageName: "@fixture/one",
        version: "1.2.3",
        directory: join(modules, "one"),
        entry: "./index.js",
        apiVersion: 1,
        platforms: [process.platform],
      },
    ]);
  });

  it("finds what pnpm links into a project, when the library lies in its store", () => {
    const at = temporary();
    const store = join(at, "node_modules/.pnpm");
    const modules = join(store, "@sandboxlib+core@0.1.0/node_modules");
    installCore(modules);
    const backend = join(store, "@fixture+one@1.2.3/node_modules/@fixture/one");
    installBackend(backend, { name: "one" });
    plant(join(at, "node_modules"), { "@fixture/one": { link: backend } });
    expect(evaluate(modules, NAMES)).toEqual(["one"]);
  });

  it("finds what `pnpm add --global` links beside its store", () => {
    const at = temporary();
    const store = join(at, ".pnpm");
    const modules = join(store, "@sandboxlib+core@0.1.0/node_modules");
    installCore(modules);
    const backend = join(store, "@fixture+one@1.2.3/node_modules/@fixture/one");
    installBackend(backend, { name: "one" });
    plant(join(at, "node_modules"), { "@fixture/one": { link: backend } });
    expect(evaluate(modules, NAMES)).toEqual(["one"]);
  });

  it("finds what lies beside the link by which a script gets at the library, in whatever store that is", () => {
    const store = join(temporary(), "links/@sandboxlib/core/0.1.0/abc/node_modules");
    installCore(store);
    const at = temporary();
    const modules = join(at, "node_modules");
    plant(modules, { "@sandboxlib/core": { link: join(store, "@sandboxlib/core") } });
    installBackend(join(modules, "one"), { name: "one" });
    const untrusted = temporary();
    installBackend(join(untrusted, "node_modules/evil"), { name: "evil" });
    const code = `import { installedBackends } from ${JSON.stringify(join(store, "@sandboxlib/core/dist/index.internal.js"))};
      console.log(JSON.stringify(installedBackends().map(({ name }) => name)));`;
    const ran = [at, join(modules, ".bin"), untrusted].map((directory) => {
      plant(directory, { "run.mjs": code });
      const script = join(directory, "run.mjs");
      const { stdout } = spawnSync(process.execPath, [script], {
        cwd: untrusted,
        encoding: "utf8",
      });
      return stdout;
    });
    expect(ran).toEqual(['["one"]\n', '["one"]\n', "[]\n"]);
  });

  it("holds the code to the capabilities that the package lists", () => {
    const { modules } = project();
    const load = (listed: readonly string[]): unknown => {
      const platforms = [process.platform];
      const sandboxlib = { backend: "lists", apiVersion: 1, platforms, capabilities: listed };
      installBackend(join(modules, "lists"), { name: "lists", sandboxlib });
      return evaluate(modules, 'core.backendNamed("lists").then(({ name }) => name)');
    };
    expect(load(["cwd"])).toBe("lists");
    const lists = expect.stringContaining("lists other capabilities than its code declares");
    for (const listed of [[], ["cwd", "tree.kill"], ["tree.kill"]])
      expect(load(listed)).toMatchObject({ code: "BACKEND_INVALID", message: lists });
  });

  it("does not look into the working directory", () => {
    const { modules } = project();
    const untrusted = temporary();
    installBackend(join(untrusted, "node_modules/evil"), {
      name: "evil",
      code: "process.exit(99);",
    });
    installBackend(join(untrusted, "node_modules/@sandboxlib/backend-evil"), { name: "evil2" });
    expect(evaluate(modules, NAMES, { cwd: untrusted })).toEqual([]);
    const named = evaluate(modules, 'core.backendNamed("evil")', { cwd: untrusted });
    expect(named).toMatchObject({ code: "BACKEND_NOT_FOUND" });
  });

  it("does not look where everybody may write", () => {
    const { modules } = project();
    installBackend(join(modules, "one"), { name: "one" });
    chmodSync(modules, 0o777);
    expect(evaluate(modules, NAMES)).toEqual([]);
  });

  it("passes over packages that are no backends, broken ones included", () => {
    const { modules } = project();
    plant(modules, {
      "not-json/package.json": '{ "sandboxlib": ',
      "no-field/package.json": "{}",
      "no-manifest/readme": "x",
      "a-file": "x",
      "@empty": {},
      "a-list/package.json": '["sandboxlib"]',
    });
    const fields = [
      null,
      "one",
      { backend: 1 },
      { backend: "Bad Name" },
      { backend: "../one" },
      { backend: "" },
    ];
    for (const [index, sandboxlib] of fields.entries())
      installBackend(join(modules, `bad-${index}`), { manifest: { sandboxlib } });
    installBackend(join(modules, "good"), { name: "good" });
    expect(evaluate(modules, NAMES)).toEqual(["good"]);
  });
});

describe("SANDBOXLIB_BACKEND_PATH", () => {
  it("names packages, and directories of packages", () => {
    const { modules } = project();
    const place = temporary();
    installBackend(join(place, "itself"), { name: "itself" });
    installBackend(join(place, "many/one"), { name: "one" });
    installBackend(join(place, "many/@scope/two"), { name: "two" });
    const path = [join(place, "itself"), join(place, "many"), join(place, "none")].join(":");
    expect(evaluate(modules, NAMES, { env: { SANDBOXLIB_BACKEND_PATH: path } })).toEqual([
      "itself",
      "one",
      "two",
    ]);
  });

  it("may not be relative", () => {
    const { modules } = project();
    const at = temporary();
    mkdirSync(join(at, "backends"));
    for (const path of ["backends", ".", "../x", `${at}:backends`]) {
      const env = { SANDBOXLIB_BACKEND_PATH: path };
      const answer = evaluate(modules, NAMES, { cwd: at, env });
      expect(answer).toMatchObject({
        code: "BACKEND_NOT_FOUND",
        message: expect.stringContaining("is relative"),
      });
    }
  });
});

describe("loadBackend", () => {
  const cases: readonly (readonly [
    what: string,
    fixture: Parameters<typeof installBackend>[1],
    says: string,
  ])[] = [
    [
      "of another API version",
      { sandboxlib: { backend: "made-up", apiVersion: 2, platforms: [] } },
      "API version 2",
    ],
    [
      "without an API version",
      { sandboxlib: { backend: "made-up", platforms: [] } },
      "API version",
    ],
    ["that cannot be imported", { code: "throw new Error('broken');" }, "broken"],
    ["whose entry is missing", { manifest: { exports: "./none.js" } }, "cannot be imported"],
    ["without a default export", { code: "export const x = 1;" }, "is not a backend"],
    [
      "whose capabilities are a list",
      { code: backendCode({}).replace("new Set", "Array.of") },
      "is not a backend",
    ],
    ["that calls itself another name", { code: backendCode({ name: "other" }) }, "calls itself"],
  ];

  it.each(cases)("refuses a backend %s", (_, fixture, says) => {
    const { modules } = project();
    installBackend(join(modules, "made-up"), fixture);
    const answer = evaluate(modules, 'core.backendNamed("made-up")');
    expect(answer).toMatchObject({
      code: "BACKEND_INVALID",
      message: expect.stringContaining(says),
    });
  });

  it("refuses a name that two packages claim", () => {
    const { modules } = project();
    installBackend(join(modules, "one"), { name: "twin" });
    installBackend(join(modules, "two"), { name: "twin" });
    expect(evaluate(modules, 'core.backendNamed("twin")')).toMatchObject({
      code: "BACKEND_INVALID",
    });
  });

  it.each([
    ["a string", { exports: "./index.js" }],
    ["conditions", { exports: { types: "./x.d.ts", default: "./index.js" } }],
    [
      "subpaths",
      { exports: { ".": { import: "./index.js" }, "./package.json": "./package.json" } },
    ],
    [
      "nested conditions",
      { exports: { ".": { node: { import: "./index.js", default: "./x.js" } } } },
    ],
    ["main only", { exports: undefined, main: "index.js" }],
    ["nothing", { exports: undefined }],
  ])("finds the entry of a package with %s", (_, manifest) => {
    const { modules } = project();
    installBackend(join(modules, "made-up"), { manifest });
    expect(evaluate(modules, 'core.backendNamed("made-up").then(({ name }) => name)')).toBe(
      "made-up",
    );
  });
});

describe("one rule for what may not be used", () => {
  const other = (name: string) => ({
    sandboxlib: { backend: name, apiVersion: 1, platforms: ["other"] },
    code: "process.exit(99);",
  });
  const CHOICE = "core.backendForPlatform().then(({ name }) => name)";
  const named = (name: string): string => `core.backendNamed("${name}").then(({ name }) => name)`;

  it("what two packages claim is neither chosen nor found by its name", () => {
    const { modules } = project();
    installBackend(join(modules, "one"), { name: "twin" });
    installBackend(join(modules, "two"), { name: "twin" });
    const both = `${join(modules, "one")} and ${join(modules, "two")} both claim the name`;
    for (const expression of [CHOICE, named("twin")]) {
      expect(evaluate(modules, expression)).toMatchObject({
        message: expect.stringContaining(both),
        hint: "Remove one of them.",
      });
    }
    installBackend(join(modules, "three"), { name: "three" });
    expect(evaluate(modules, CHOICE)).toBe("three");
  });

  const NEITHER = process.arch === "x64" ? "arm64" : "x64";
  it.each([
    ["os", ["other"], process.platform],
    ["os", [`!${process.platform}`], process.platform],
    ["cpu", [NEITHER], process.arch],
    ["cpu", [`!${process.arch}`, process.arch], process.arch],
    ["cpu", NEITHER, process.arch],
  ])("what npm would not install here is not loaded: %s %j", (field, listed, own) => {
    const { modules } = project();
    const far = { name: "far", manifest: { [field]: listed }, code: "process.exit(99);" };
    installBackend(join(modules, "far"), far);
    const shown = JSON.stringify(typeof listed === "string" ? [listed] : listed);
    const why = `the backend far has \`"${field}": ${shown}\` in its package.json, and this is ${own}`;
    const asked = evaluate(modules, named("far"));
    expect(asked).toMatchObject({ code: "BACKEND_UNAVAILABLE", message: why });
    expect(evaluate(modules, CHOICE)).toMatchObject({
      code: "BACKEND_NOT_FOUND",
      message: `no backend for ${process.platform} is installed; ${why}`,
    });
    // It claims no name, either.
    installBackend(join(modules, "one"), { name: "far" });
    for (const expression of [CHOICE, named("far")])
      expect(evaluate(modules, expression)).toBe("far");
  });

  it.each([
    ["os", [process.platform]],
    ["os", ["!other"]],
    ["cpu", [NEITHER, process.arch]],
    ["cpu", process.arch],
    ["cpu", ["any"]],
    ["cpu", []],
  ])("what npm would install here is loaded: %s %j", (field, listed) => {
    const { modules } = project();
    installBackend(join(modules, "near"), { name: "near", manifest: { [field]: listed } });
    expect(evaluate(modules, CHOICE)).toBe("near");
  });

  it("a package for another platform claims no name here", () => {
    const { modules } = project();
    installBackend(join(modules, "one"), other("twin"));
    installBackend(join(modules, "two"), { name: "twin" });
    expect(evaluate(modules, CHOICE)).toBe("twin");
    expect(evaluate(modules, named("twin"))).toBe("twin");
  });

  it("what is for another platform is not loaded, when it is named, either", () => {
    const { modules } = project();
    installBackend(join(modules, "one"), other("far"));
    expect(evaluate(modules, named("far"))).toEqual({
      code: "BACKEND_UNAVAILABLE",
      message: `the backend far works on other, and this is ${process.platform}`,
      hint: "Use another backend.",
    });
    expect(evaluate(modules, CHOICE)).toMatchObject({ code: "BACKEND_NOT_FOUND" });
  });

  it("says which package a backend lacks", () => {
    const { modules } = project();
    const code = 'import "@acme/not-there"; export default {};';
    installBackend(join(modules, "one"), { name: "one", code });
    expect(evaluate(modules, named("one"))).toMatchObject({
      code: "BACKEND_INVALID",
      hint: "Install @acme/not-there beside it, where its code can import it.",
    });
  });
});
