import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { realHost } from "@sandboxlib/core/backend";
import { backendNamed } from "@sandboxlib/core/internal";
import { skipOrRequire } from "@sandboxlib/test-support";
import { afterAll, describe, expect, test } from "vitest";
import { repository } from "./blocks.js";

const probe = await (await backendNamed("namespaces")).probe(realHost());
const { note, skip } = skipOrRequire("namespaces", probe.available ? undefined : probe.reason);

// Not in /tmp, which the default config covers.
const scratch = mkdtempSync("/var/tmp/sandboxlib-guides-");
chmodSync(scratch, 0o755);
afterAll(() => rmSync(scratch, { recursive: true }));

const pages = [
  "docs/tour.md",
  "docs/prove.md",
  "docs/hosts/README.md",
  ...readdirSync(join(repository, "docs/guides")).map((page) => `docs/guides/${page}`),
];

describe.skipIf(skip).each(pages)(`%s${note}`, (page) => {
  const directory = mkdtempSync(join(scratch, "guide-"));
  symlinkSync(
    join(repository, "packages/conformance/node_modules"),
    join(directory, "node_modules"),
  );
  for (const { language, file, text, output } of stepsOf(page)) {
    if (file !== undefined) writeFileSync(join(directory, file), text);
    else if (language === "sh")
      test(text.split("\n")[0] ?? "", () => expect(run(text, directory)).toMatch(pattern(output)));
  }
});

interface Step {
  readonly language: string;
  /** The file that the block is written to. */
  readonly file: string | undefined;
  readonly text: string;
  /** The block of text after it: what a command prints. */
  readonly output: string;
}

/** The code blocks of a page in their order. */
function stepsOf(page: string): Step[] {
  const text = readFileSync(join(repository, page), "utf8");
  const fence = /^```(\w*) ?(\S*)\n([^]*?)^```$(?:\n\n```text\n([^]*?)^```$)?/gm;
  return [...text.matchAll(fence)].map(([, language = "", file, code = "", output = ""]) => ({
    language,
    file: file === "" ? undefined : file,
    text: code,
    output,
  }));
}

/** What differs between hosts is written as `...`. */
function pattern(output: string): RegExp {
  const literal = output.split("...").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${literal.join("[^]*")}$`);
}

/** Standard output and error, in the order in which they were written. */
function run(script: string, cwd: string): string {
  const PATH = [join(repository, "node_modules/.bin"), process.env["PATH"]].join(delimiter);
  const env = { PATH, HOME: cwd, SANDBOXLIB_BACKEND: "namespaces" };
  return spawnSync("sh", ["-c", `exec 2>&1\n${script}`], { cwd, env, encoding: "utf8" }).stdout;
}
