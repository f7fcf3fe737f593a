import { AssertionError } from "node:assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import bubblewrap from "@sandboxlib/backend-bubblewrap";
import { isSandboxError, type Probe, realHost } from "@sandboxlib/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applies, type Case, obstacle } from "../src/case.js";
import { topics } from "../src/cases/index.js";
import { runCase } from "../src/context.js";
import { type Kit, openKit } from "../src/kit.js";
import { findRecipe } from "../src/root/recipe.js";
import { liars } from "./liars/index.js";
import type { Liar } from "./liars/liar.js";

const probe = await bubblewrap.probe(realHost());
const recipe = findRecipe();
const required = process.env["SANDBOXLIB_REQUIRE"]?.split(",").includes("bubblewrap") ?? false;
const reason = probe.available ? "" : ` (skipped: ${probe.reason})`;

describe("the kit", () => {
  it("has no two cases with one title", () => {
    const titles = all().map(([title]) => title);
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  });

  it("has a liar for every case", () => {
    const known = new Set(liars.flatMap((liar) => casesOf(liar).map(([title]) => title)));
    expect(
      all()
        .map(([title]) => title)
        .filter((title) => !known.has(title)),
    ).toEqual([]);
  });
});

describe.skipIf(!probe.available && !required)(`liars${reason}`, () => {
  let directory = "";
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "sandboxlib-liars-"));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it.each(liars.map((liar) => [liar.does, liar] as const))(
    "one that %s is caught",
    async (_, liar) => {
      for (const [index, [title, test]] of casesOf(liar).entries()) {
        const { backend, library } = liar.lie();
        const kit = openKit(backend, available(probe), recipe, library);
        expect(applies(test, kit.has), `${title} applies`).toBe(true);
        if (obstacle(test, kit) !== undefined) continue;
        expect(
          await isCaught(kit, test, join(directory, `${liars.indexOf(liar)}-${index}`)),
          `caught by: ${title}`,
        ).toBe(true);
      }
    },
  );
});

async function isCaught(kit: Kit, test: Case, directory: string): Promise<boolean> {
  try {
    await runCase(kit, test.run, directory);
    return false;
  } catch (error) {
    // Anything else is a fault of the kit.
    if (error instanceof AssertionError || isSandboxError(error)) return true;
    throw error;
  }
}

/** Every case with its topic before the title. */
function all(): [string, Case][] {
  return topics.flatMap(({ title, cases }) =>
    cases.map((test): [string, Case] => [`${title}: ${test.title}`, test]),
  );
}

function casesOf({ caughtBy, does }: Liar): [string, Case][] {
  return caughtBy.flatMap((beginning) => {
    const found = all().filter(([title]) =>
      title.startsWith(beginning.includes(": ") ? beginning : `${beginning}: `),
    );
    if (found.length === 0) throw new Error(`one that ${does}: no case "${beginning}"`);
    return found;
  });
}

function available(probed: Probe): Extract<Probe, { available: true }> {
  if (probed.available) return probed;
  throw new Error(probed.reason);
}
