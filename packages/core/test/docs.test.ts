import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { allCapabilities, configJsonSchema, ERROR_CODES, parseConfig } from "../src/index.js";

const root = join(import.meta.dirname, "../../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

interface Pages {
  generatedDocs(): Promise<readonly (readonly [file: string, text: string])[]>;
}

const pages = (await import(pathToFileURL(join(root, "scripts/lib/docs/pages.mjs")).href)) as Pages;

describe("the generated pages", async () => {
  test.each(await pages.generatedDocs())("%s is what the code says", (file, text) => {
    expect(read(file), `${file} is out of date: run \`pnpm docs\``).toBe(text);
  });

  test("docs/config.md has a row for every field of the schema", () => {
    const { properties } = configJsonSchema() as { properties: Record<string, unknown> };
    const page = read("docs/config.md");
    const absent = Object.keys(properties).filter((name) => !page.includes(`| \`${name}`));
    expect(absent).toEqual([]);
  });

  test("docs/capabilities.md has a line for every word", () => {
    const page = read("docs/capabilities.md");
    expect(allCapabilities().filter((word) => !page.includes(`\n| \`${word}\` |`))).toEqual([]);
  });
});

describe("the configs in the pages", () => {
  const examples = blocks(read("docs/config.md"), "json");

  test("docs/config.md has two", () => {
    expect(examples).toHaveLength(2);
  });

  test.each([...examples, ...blocks(read("docs/from-python.md"), "json")])(
    "is valid: %s",
    (text) => {
      expect(() => parseConfig(JSON.parse(text))).not.toThrow();
    },
  );
});

test("docs/errors.md has a heading for every code, in their order, and no other", () => {
  const headings = [...read("docs/errors.md").matchAll(/^## (.*)$/gm)].map(([, title]) => title);
  expect(headings).toEqual(ERROR_CODES);
});

test("every link from one page to another leads somewhere", () => {
  const broken = linkingPages().flatMap((file) =>
    [...read(file).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)]
      .map(([, target]) => join(file, "..", target ?? ""))
      .filter((target) => !existsSync(join(root, target)))
      .map((target) => `${file} -> ${target}`),
  );
  expect(broken).toEqual([]);
});

function blocks(page: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm");
  return [...page.matchAll(fence)].map(([, text = ""]) => text);
}

function linkingPages(): string[] {
  const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}/README.md`);
  const docs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" });
  return [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    ...packages,
    ...docs.filter((file) => file.endsWith(".md")).map((file) => join("docs", file)),
  ];
}
