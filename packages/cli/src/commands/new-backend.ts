import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { assertUsable, type CommandLine } from "../command-line.js";
import { CliError, seeHelp } from "../errors.js";
import type { Io } from "../output.js";

/** The names of the backends in the templates, which are the examples of docs/writing-a-backend.md. */
const EXAMPLES = /my-unshare|my-engine/g;

/** The files of a new package, each with its template. */
const TOOL: Readonly<Record<string, string>> = {
  "package.json": "package.json.template",
  "tsconfig.json": "tsconfig.json.template",
  "src/index.ts": "index.ts.template",
  "test/conformance.test.ts": "conformance.test.ts.template",
};

/** The same for one whose programs are started elsewhere. */
const ENGINE: typeof TOOL = {
  ...TOOL,
  "src/index.ts": "engine.ts.template",
  "test/conformance.test.ts": "engine.test.ts.template",
  "engine.mjs": "engine.mjs.template",
};

/** Writes a package with a backend that works, to begin with, into a new directory of the working directory. */
export async function newBackend(line: CommandLine, { stdout }: Io): Promise<number> {
  assertUsable(line);
  const name = nameFrom(line);
  const directory = `sandboxlib-backend-${name}`;
  const files = line.options.has("engine") ? ENGINE : TOOL;
  makeNew(directory);
  for (const [path, template] of Object.entries(files)) {
    const text = readFileSync(join(import.meta.dirname, "../template", template), "utf8");
    mkdirSync(join(directory, dirname(path)), { recursive: true });
    writeFileSync(join(directory, path), text.replaceAll(EXAMPLES, name));
    stdout.write(`${join(directory, path)}\n`);
  }
  stdout.write(`\nNext: cd ${directory} && npm install && npm test\n`);
  return 0;
}

function nameFrom({ program: [name, more] }: CommandLine): string {
  const hint = seeHelp("new-backend");
  if (name === undefined) throw new CliError("NAME is missing", { hint });
  if (more !== undefined) throw new CliError(`${JSON.stringify(more)}: is a second NAME`, { hint });
  if (/^[a-z][a-z0-9-]*$/.test(name)) return name;
  throw new CliError(`NAME: ${JSON.stringify(name)} is no name for a backend`, {
    hint: "Use lower-case letters, digits and dashes, with a letter first.",
  });
}

function makeNew(directory: string): void {
  try {
    mkdirSync(directory);
  } catch (cause) {
    const exists = cause instanceof Error && "code" in cause && cause.code === "EEXIST";
    const why = exists ? "exists already" : `cannot be made: ${String(cause)}`;
    throw new CliError(`${JSON.stringify(directory)}: ${why}`, {
      hint: exists ? "Choose another NAME, or remove it." : "Run this where you may write.",
    });
  }
}
