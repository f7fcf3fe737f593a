import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { type Probe, realHost } from "@sandboxlib/core/backend";
import { backendNamed } from "@sandboxlib/core/internal";
import { skipOrRequire } from "@sandboxlib/test-support";
import { describe, expect, test } from "vitest";
import { blocks, repository } from "./blocks.js";

const probe = await probeNamespaces();
const { note, skip } = skipOrRequire("namespaces", probe.available ? undefined : probe.reason);

describe.skipIf(skip)(`README.md${note}`, () => {
  test("the library example prints what it says", () => {
    const [example = ""] = blocks("README.md", "ts");
    expect(example.trimEnd().split("\n").length).toBeLessThanOrEqual(15);
    const { stdout, stderr } = run([process.execPath, "--input-type=module", "-e", example]);
    expect(stderr).toBe("");
    const promised = [...example.matchAll(/\/\/ (.*)$/gm)].map(([, comment = ""]) => comment);
    const printed = stdout.split("\n").filter((line) => line !== "");
    expect(printed).toHaveLength(promised.length);
    for (const [index, line] of promised.entries()) expect(printed[index]).toMatch(pattern(line));
  });

  test("the example of docs/judging.md prints what it says", () => {
    const [example = ""] = blocks("docs/judging.md", "js");
    const { stdout, stderr } = run([process.execPath, "--input-type=module", "-e", example]);
    expect([stdout, stderr]).toEqual([blocks("docs/judging.md", "text")[0], ""]);
  });

  const lines = blocks("README.md", "sh").flatMap((block) => block.trimEnd().split("\n"));
  test.each(lines)("the command works: %s", (line) => {
    const { status, stdout, stderr } = run(["/bin/sh", "-c", line]);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).not.toBe("");
  });
});

test("the examples of the packages' READMEs that name no other package run as they are", () => {
  const [core = ""] = blocks("packages/core/README.md", "ts");
  if (skip) return;
  const { stdout, stderr } = run([process.execPath, "--input-type=module", "-e", core]);
  expect(stderr).toBe("");
  expect(stdout).toMatch(/^exited 0 \d+\n$/);
});

/** A comment with the place for what differs between hosts written as `...`. */
function pattern(comment: string): RegExp {
  const literal = comment
    .split(" ... ")
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${literal.join(".*")}$`);
}

async function probeNamespaces(): Promise<Probe> {
  try {
    return await (await backendNamed("namespaces")).probe(realHost());
  } catch (error) {
    return { available: false, reason: String(error), remedy: "" };
  }
}

/** Where the library is installed, with the commands on the path. */
function run([program = "", ...args]: string[]) {
  return spawnSync(program, args, {
    cwd: join(repository, "packages/conformance"),
    encoding: "utf8",
    env: {
      PATH: [join(repository, "node_modules/.bin"), process.env["PATH"]].join(delimiter),
      SANDBOXLIB_BACKEND: "namespaces",
    },
  });
}
