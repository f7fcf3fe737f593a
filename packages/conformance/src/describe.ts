import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Backend, type Probe, realHost } from "@sandboxlib/core/backend";
import { probeCgroups, probeOn, refusedPartOf } from "@sandboxlib/core/internal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Topic } from "./case.js";
import { contract } from "./cases/contract.js";
import { ground } from "./cases/ground.js";
import { topics } from "./cases/index.js";
import { leftovers } from "./cases/leftovers.js";
import { runCase } from "./context.js";
import { hostDebris, processDebris } from "./debris.js";
import { markDescendants } from "./host/survivors.js";
import { type Kit, openKit } from "./kit.js";
import { type Due, dueOf, proofsIn, unproved } from "./proofs.js";
import { assertExecutable, buildRoot } from "./root/build.js";
import { findRecipe, type Recipe } from "./root/recipe.js";
import { Verdicts } from "./verdicts.js";

/** Milliseconds for a case and for what is done around them all, on a machine that has other things to do. */
const CASE_LIMIT = 120_000;
const HOOK_LIMIT = 60_000;

/** How a backend is described. */
export interface DescribeOptions {
  /** What the tests are called, where one backend is tested in several ways. Default: the backend's name. */
  readonly title?: string;
}

/**
 * Tests a backend with vitest: what it declares works, and what it does not declare is refused. Where the backend is
 * not available, or no root can be built, everything is skipped and the title says why; if `SANDBOXLIB_REQUIRE`, a
 * list with commas, names the backend, that is a failure instead. A probe that breaks the contract is always one.
 */
export function describeBackend(backend: Backend, options: DescribeOptions = {}): void {
  const { title = backend.name } = options;
  describe(`backend ${title}`, async () => {
    const probe = await attempt(() => probeOn(backend, realHost(), probeCgroups().missing));
    if ("error" in probe)
      return it("has a probe that keeps the contract", () => expect.fail(probe.error));
    const recipe = await attempt(tryRecipe);
    const reason = reasonOf(probe, recipe);
    if (reason !== undefined) return unavailable(backend.name, reason);
    if (!probe.available || "error" in recipe) return;
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

function reasonOf(probe: Probe, recipe: Recipe | Failed): string | undefined {
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
  const verdicts = new Verdicts(kit);
  beforeAll(() => {
    markDescendants();
    directory = mkdtempSync(join(tmpdir(), "sandboxlib-kit-"));
    // A temporary directory of the kit's own shows what the library or the backend leaves there, and nobody else's files.
    process.env["TMPDIR"] = mkdtempSync(join(tmpdir(), "sandboxlib-kit-"));
    before = hostDebris(tmpdir());
  }, HOOK_LIMIT);
  afterAll(async () => {
    const left = [...hostDebris(tmpdir()), ...(await processDebris(kit))];
    rmSync(tmpdir(), { recursive: true });
    if (inherited === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = inherited;
    rmSync(directory, { recursive: true });
    // Where a test is skipped only a summary shows it, whatever the reporter.
    console.info(`backend ${kit.backend.name}\n${verdicts.summary()}`);
    if (!verdicts.isUntidy()) expect(left, "left on the host").toEqual(before);
  }, HOOK_LIMIT);

  const due = dueOf(topics, kit);
  const proofs = proofsIn(due, kit);
  const runs: Runs = { kit, verdicts, directoryOf: (name) => join(directory, name) };
  const early = new Set<Topic>([ground, contract, leftovers]);
  for (const topic of early) describeTopic(topic, of(due, topic), runs);
  describe("what is declared", () => {
    it("is proved by a case", () => {
      const words = unproved(due, kit).map(([word, reason]) => `${word} (${reason})`);
      if (words.length > 0) expect.fail(`declared, but no case proves it: ${words.join(", ")}`);
    });
  });
  for (const group of proofs)
    describe("what is declared", () => {
      for (const each of group) test(each, runs, each.topic.isAlone !== true);
    });
  if (kit.given.partly !== undefined)
    describe("what is declared", () => {
      it("holds at least in a part", () => {
        const words = verdicts.holdsInNoPart();
        if (words.length > 0)
          expect.fail(`declared, but each part that is asked for is refused: ${words.join(", ")}`);
      });
    });
  const done = new Set(proofs.flat().map(({ test: own }) => own));
  const rest = due.filter(({ test: own }) => !done.has(own));
  for (const topic of topics) if (!early.has(topic)) describeTopic(topic, of(rest, topic), runs);
}

/** What a case is run with. */
interface Runs {
  readonly kit: Kit;
  readonly verdicts: Verdicts;
  readonly directoryOf: (name: string) => string;
}

function of(due: readonly Due[], topic: Topic): Due[] {
  return due.filter((each) => each.topic === topic);
}

function describeTopic(topic: Topic, due: readonly Due[], runs: Runs): void {
  if (due.length === 0) return;
  // Many cases only wait.
  (topic.isAlone === true ? describe : describe.concurrent)(topic.title, () => {
    for (const each of due) test(each, runs, topic.isAlone !== true);
  });
}

function test(due: Due, { kit, verdicts, directoryOf }: Runs, isConcurrent: boolean): void {
  const { topic, test: own, obstacle: reason } = due;
  if (reason !== undefined) {
    verdicts.skipped(reason);
    return it.skip(`${own.title} (skipped: ${reason})`, () => undefined);
  }
  const name = `${topic.title}-${topic.cases.indexOf(own)}`.replaceAll(" ", "-");
  (isConcurrent ? it.concurrent : it)(own.title, { timeout: CASE_LIMIT }, async ({ skip }) => {
    const broken = verdicts.obstacle(own);
    if (broken !== undefined) {
      verdicts.skipped(broken);
      skip(broken);
    }
    try {
      const { limit } = topic;
      const how = { isBare: topic.isBare === true, ...(limit !== undefined && { limit }) };
      await runCase(kit, own.run, directoryOf(name), how);
      verdicts.passed(own);
    } catch (error) {
      const part = refusedPartOf(error);
      if (part !== undefined) skip(verdicts.partRefused(part, own));
      verdicts.failed(topic, own, error);
      throw error;
    }
  });
}
