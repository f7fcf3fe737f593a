import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Backend, type Probe, realHost } from "@sandboxlib/core/backend";
import { probeCgroups, probeOn } from "@sandboxlib/core/internal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applies, obstacle, type Topic } from "./case.js";
import { topics } from "./cases/index.js";
import { runCase } from "./context.js";
import { hostDebris } from "./debris.js";
import { type Kit, openKit } from "./kit.js";
import { assertExecutable, buildRoot } from "./root/build.js";
import { findRecipe, type Recipe } from "./root/recipe.js";

/** How a backend is described. */
export interface DescribeOptions {
  /** What the tests are called, where one backend is tested in several ways. Default: the backend's name. */
  readonly title?: string;
}

/**
 * Tests a backend with vitest: what it declares works, and what it does not declare is refused. Where the backend is
 * not available, or no root can be built, everything is skipped and the title says why; if `SANDBOXLIB_REQUIRE`, a
 * list with commas, names the backend, that is a failure instead.
 */
export function describeBackend(backend: Backend, options: DescribeOptions = {}): void {
  const { title = backend.name } = options;
  describe(`backend ${title}`, async () => {
    const probe = await attempt(() => probeOn(backend, realHost(), probeCgroups().missing));
    const recipe = await attempt(tryRecipe);
    const reason = reasonOf(probe, recipe);
    if (reason !== undefined) return unavailable(backend.name, reason);
    if ("error" in probe || !probe.available || "error" in recipe) return;
    describeTopics(openKit(backend, probe, recipe));
  });
}

type Failed = { readonly error: string };

async function attempt<Value>(run: () => Value | Promise<Value>): Promise<Value | Failed> {
  try {
    return await run();
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function reasonOf(probe: Probe | Failed, recipe: Recipe | Failed): string | undefined {
  if ("error" in probe) return `its probe failed: ${probe.error}`;
  if (!probe.available) return `${probe.reason}. ${probe.remedy}`;
  return "error" in recipe ? recipe.error : undefined;
}

/** Finds the recipe and tries to run a program from such a root, as the temporary directory may be mounted noexec. */
function tryRecipe(): Recipe {
  const recipe = findRecipe();
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-kit-"));
  try {
    buildRoot(join(directory, "root"), recipe);
    assertExecutable(join(directory, "root"));
    return recipe;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function unavailable(name: string, reason: string): void {
  const required = process.env["SANDBOXLIB_REQUIRE"]?.split(",").map((word) => word.trim()) ?? [];
  if (!required.includes(name))
    return void describe.skip(`skipped: ${reason}`, () => it("runs", () => undefined));
  it("is available, as SANDBOXLIB_REQUIRE demands", () => expect.fail(reason));
}

function describeTopics(kit: Kit): void {
  let directory = "";
  let before: string[] = [];
  const inherited = process.env["TMPDIR"];
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "sandboxlib-kit-"));
    // A temporary directory of the kit's own shows what the library or the backend leaves there, and nobody else's files.
    process.env["TMPDIR"] = mkdtempSync(join(tmpdir(), "sandboxlib-kit-"));
    before = hostDebris(tmpdir());
  });
  afterAll(() => {
    const left = hostDebris(tmpdir());
    rmSync(tmpdir(), { recursive: true });
    if (inherited === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = inherited;
    rmSync(directory, { recursive: true });
    expect(left, "left in the directories of the host").toEqual(before);
  });
  for (const topic of topics) describeTopic(topic, kit, (number) => join(directory, number));
}

function describeTopic(
  { title, cases, isAlone = false, isBare = false }: Topic,
  kit: Kit,
  directoryOf: (number: string) => string,
): void {
  const due = cases.filter((test) => applies(test, kit.has));
  if (due.length === 0) return;
  describe(title, () => {
    for (const [index, test] of due.entries()) {
      const reason = obstacle(test, kit);
      if (reason === undefined)
        (isAlone ? it : it.concurrent)(test.title, () =>
          runCase(kit, test.run, directoryOf(`${title}-${index}`.replaceAll(" ", "-")), isBare),
        );
      else it.skip(`${test.title} (skipped: ${reason})`, () => undefined);
    }
  });
}
