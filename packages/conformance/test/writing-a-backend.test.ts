import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describeBackend } from "@sandboxlib/conformance";
import type { Backend } from "@sandboxlib/core/backend";
import { installedBackends } from "@sandboxlib/core/internal";
import { afterAll, expect, test } from "vitest";
import { blocks, repository } from "./blocks.js";

const page = "docs/writing-a-backend.md";
const [manifest = "", compiler = ""] = blocks(page, "json");
const [code = "", kitCall = "", engine = "", engineKit = ""] = blocks(page, "ts");
const [server = ""] = blocks(page, "js");

// The files of the page, as its reader writes them.
const directory = mkdtempSync(join(tmpdir(), "sandboxlib-page-"));
afterAll(() => rmSync(directory, { recursive: true }));
mkdirSync(join(directory, "src"));
writeFileSync(join(directory, "package.json"), manifest);
writeFileSync(join(directory, "src/index.ts"), code);

const url = pathToFileURL(join(directory, "src/index.ts")).href;
const { default: backend } = (await import(url)) as { default: Backend };

test("discovery takes the package of the page for the backend that its code says it is", () => {
  const inherited = process.env["SANDBOXLIB_BACKEND_PATH"];
  process.env["SANDBOXLIB_BACKEND_PATH"] = directory;
  const found = installedBackends().find(({ name }) => name === backend.name);
  if (inherited === undefined) delete process.env["SANDBOXLIB_BACKEND_PATH"];
  else process.env["SANDBOXLIB_BACKEND_PATH"] = inherited;
  expect(found).toMatchObject({ apiVersion: backend.apiVersion, platforms: ["linux"] });
});

test("the page calls the kit as this test does", () => {
  expect(kitCall).toContain("describeBackend(backend);");
});

test("`sandboxlib new-backend` writes the files of the page", () => {
  const template = (name: string): string =>
    readFileSync(join(repository, "packages/cli/template", `${name}.template`), "utf8");
  expect(template("package.json")).toBe(manifest);
  expect(template("tsconfig.json")).toBe(compiler);
  expect(template("index.ts")).toBe(code);
  expect(template("conformance.test.ts")).toBe(kitCall);
  expect(template("engine.ts")).toBe(engine);
  expect(template("engine.test.ts")).toBe(engineKit);
  expect(template("engine.mjs")).toBe(server);
});

describeBackend(backend, { title: "my-unshare, of docs/writing-a-backend.md" });
